"""A case of the differential: the environment, the shared files and the
options of one start, as a structure that can be written down in many ways."""

import pathlib

REGIONS = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-south-2",
           "cn-north-1", "us-gov-west-1", "us-gov-east-1", "us-iso-east-1",
           "us-isob-east-1", "eusc-de-east-1", "il-central-1", "mx-central-1"]
STS_URL = "http://127.0.0.1:4101"
CONTAINER_URL = "http://127.0.0.1:4120"
INSTANCE_URL = "http://127.0.0.1:4110"

# Ways to write down a file in which the oracles differ: one at most in a case,
# so that a difference has one cause.
DIVISIVE = ["comment after a value", "key in capitals", "section twice",
            "key twice", "comment at the bracket", "equals in a continuation",
            "blanks in the brackets", "line without equals",
            "bracket not closed", "line before a section"]
SYNTAX_ERRORS = {"line without equals", "bracket not closed",
                 "line before a section"}

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
WORDS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Case:
    """name      in the report
    features  what it is about, counted by the comparison
    facts     what the list of differences may refer to
    config, credentials
              {section: {key: value}}; a value may be a dict: sub-properties
    """

    def __init__(self, rng, name, folder):
        self.rng = rng
        self.name = name
        self.home = pathlib.Path(folder) / name.replace(" ", "-")
        self.features, self.facts = set(), set()
        self.env, self.options = {"HOME": str(self.home)}, {}
        self.config, self.credentials = {}, {}
        self.files = {}
        self.ways = set()
        self.raw_config = self.raw_credentials = None
        self._divided = False

    # --- making parts

    def chance(self, p):
        return self.rng.random() < p

    def text(self, length, letters=WORDS):
        return "".join(self.rng.choices(letters, k=length))

    def keys(self, token=None):
        """(access key, secret, token or None)."""
        if token is None:
            token = self.chance(0.6)
        return ("AKIA" + self.text(16, LETTERS),
                self.text(40, WORDS + "+/"),
                "tok" + self.text(30, WORDS + "+/") + "==" if token else None)

    def key_pairs(self, token=None):
        """The same, as keys of a profile."""
        key, secret, token = self.keys(token)
        found = {"aws_access_key_id": key, "aws_secret_access_key": secret}
        if token:
            found["aws_session_token"] = token
        return found

    def env_keys(self, token=None):
        key, secret, token = self.keys(token)
        self.env["AWS_ACCESS_KEY_ID"] = key
        self.env["AWS_SECRET_ACCESS_KEY"] = secret
        if token:
            self.env["AWS_SESSION_TOKEN"] = token

    def role_arn(self):
        return (f"arn:aws:iam::{self.rng.randrange(10**11, 10**12)}:role/"
                f"{self.text(6)}")

    def role(self, **more):
        """The keys of a role, without its source."""
        found = {"role_arn": self.role_arn()}
        if self.chance(0.4):
            found["external_id"] = "ext:" + self.text(5) + "@/,=+"
        if self.chance(0.4):
            found["role_session_name"] = "given-" + self.text(5)
        if self.chance(0.3):
            found["duration_seconds"] = str(
                self.rng.choice([900, 1200, 3600, 7200, 43200]))
        found.update(more)
        return found

    def put(self, profile, keys, where=None):
        """Into the profile, in one file or the other."""
        where = where or self.rng.choice(["config", "credentials"])
        if where == "config":
            name = profile if profile == "default" else f"profile {profile}"
            self.config.setdefault(name, {}).update(keys)
        else:
            self.credentials.setdefault(profile, {}).update(keys)
        return where

    def get(self, profile, key):
        """As the files together have it."""
        for sections, name in ((self.credentials, profile),
                               (self.config, f"profile {profile}"),
                               (self.config, profile)):
            if key in sections.get(name, {}):
                return sections[name][key]
        return None

    @property
    def profile(self):
        return (self.options.get("profile") or self.env.get("AWS_PROFILE")
                or "default")

    def file(self, name, text):
        self.files[name] = text
        return str(self.home / name)

    # --- writing

    def value(self):
        """What goes to the programs; the files are written."""
        for name, text in self._shared_files().items():
            self.files[name] = text
        for name, text in self.files.items():
            path = self.home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        return {"name": self.name, "features": sorted(self.features),
                "facts": sorted(self.facts), "env": self.env,
                "options": self.options, "home": str(self.home),
                "profile": self.profile, "config": self.config,
                "credentials": self.credentials,
                "raw": (self.raw_config or "") + (self.raw_credentials or "")}

    def _shared_files(self):
        found = {}
        places = (("config", "AWS_CONFIG_FILE", "config_file", self.config,
                   self.raw_config),
                  ("credentials", "AWS_SHARED_CREDENTIALS_FILE",
                   "credentials_file", self.credentials, self.raw_credentials))
        for kind, variable, option, sections, raw in places:
            if raw is None and not sections:
                continue
            name = f".aws/{kind}"
            given = self.options.get(option) or self.env.get(variable)
            if given:
                name = given.replace("~/", "").removeprefix(f"{self.home}/")
            found[name] = self._render(sections) if raw is None else raw
        return found

    def _divide(self, way):
        """Whether this is the one place of the case for this way."""
        if self._divided or way not in self.ways:
            return False
        self._divided = True
        self.facts.add(way)
        return True

    def _render(self, sections):
        lines = []
        if self._divide("line before a section"):
            lines.append("stray = 1")
        if "comments" in self.ways:
            lines += ["# comment = 1", ";[profile not]", ""]
        if "other sections" in self.ways:
            lines += ["[preview]", "aws_access_key_id = AKIAPREVIEW",
                      "region = xx-wrong-1", "[profile b@d name]", "a = b"]
        for name, keys in sections.items():
            self._put_section(lines, name, keys)
        if self._divide("line without equals"):
            lines.append("this line has no sign")
        if self._divide("bracket not closed"):
            lines.append("[profile last")
        end = "\r\n" if "CRLF" in self.ways else "\n"
        text = end.join(lines)
        return text if self.chance(0.2) else text + end

    def _put_section(self, lines, name, keys):
        head = f"[{name}]"
        if self._divide("comment at the bracket"):
            head += "# adjacent"
        elif self._divide("blanks in the brackets"):
            head = f"[ {name} ]"
        elif "comments" in self.ways and self.chance(0.4):
            head += self.rng.choice([" # a comment", "\t; another"])
        lines.append(head)
        items = list(keys.items())
        cut = len(items)
        if len(items) > 1 and self._divide("section twice"):
            cut = self.rng.randrange(1, len(items))
        for i, (key, value) in enumerate(items):
            if i == cut:
                lines += ["[between]", "a = b", f"[{name}]"]
            self._put_property(lines, key, value)
        self._put_noise(lines)

    def _put_property(self, lines, key, value):
        if isinstance(value, dict):
            lines.append(f"{key} =")
            lines += [f"  {sub} = {text}" for sub, text in value.items()]
            return
        if self._divide("key twice"):
            lines.append(f"{key} = x{value}")
        if self._divide("key in capitals"):
            key = key.upper()
        equals = " = "
        if "spacing" in self.ways:
            equals = self.rng.choice(["=", " =", "= ", "\t=\t", "   =   "])
        tail = ""
        if self._divide("comment after a value"):
            tail = self.rng.choice([" # note", "\t; note"])
        elif "spacing" in self.ways:
            tail = self.rng.choice(["", "", "  ", "\t"])
        lines.append(f"{key}{equals}{value}{tail}")
        if "comments" in self.ways and self.chance(0.3):
            lines.append(self.rng.choice(["# region = no", "; x", "#"]))
        if "spacing" in self.ways and self.chance(0.3):
            lines.append(self.rng.choice(["", "", "  "]))

    def _put_noise(self, lines):
        if "continuation" in self.ways:
            lines += ["note = one", "   two", "\tthree # kept"]
        if self._divide("equals in a continuation"):
            lines += ["note2 = one", "   region = xx-wrong-2"]
        if "sub-properties" in self.ways:
            lines += ["s3 =", "  addressing_style = path",
                      "  region = xx-wrong-3", "tail = 1"]
