package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// chat is the section of a network for tests.
type chat struct {
	Network
	APIURL string   `toml:"api_url" doc:"Base of its API."`
	Wait   Duration `toml:"wait" doc:"Longest wait."`
}

// Validate implements Validator.
func (c *chat) Validate(problem func(key, format string, args ...any)) {
	if err := CheckBaseURL(c.APIURL); err != nil {
		problem("api_url", "%v", err)
	}
}

func chatSection() Section {
	return Section{Name: "chat", Doc: "The Chat gateway.", Settings: &chat{APIURL: "https://chat.example/", Wait: Duration(time.Second)}}
}

func TestDefaultsAreValid(t *testing.T) {
	t.Parallel()
	c, err := Parse(nil, "", nil, chatSection())
	if err != nil {
		t.Fatal(err)
	}
	if domain := c.Sections[0].Network().Domain; domain != "chat.localhost" {
		t.Errorf("domain %q", domain)
	}
}

func TestExampleSetsTheDefaults(t *testing.T) {
	t.Parallel()
	// The example with the # before each setting removed has the same meaning as an empty file.
	setting := regexp.MustCompile(`(?m)^#(\w+ = )`)
	list := regexp.MustCompile(`(?s)#\[\[.*?\n\n`) // rows of lists of tables, which have no defaults
	text := list.ReplaceAllString(setting.ReplaceAllString(Example(chatSection()), "$1"), "")
	got, err := Parse([]byte(text), "", nil, chatSection())
	if err != nil {
		t.Fatal(err)
	}
	want, _ := Parse(nil, "", nil, chatSection())
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
}

func TestGeneratedFilesAreCurrent(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{"example.toml": Example(), "REFERENCE.md": Reference()} {
		got, err := os.ReadFile(file)
		if err != nil || string(got) != want {
			t.Errorf("%s is not what 'go generate ./config' writes (%v)", file, err)
		}
	}
}

func TestEverySettingIsDocumented(t *testing.T) {
	t.Parallel()
	eachSection([]Section{chatSection()}, func(name, doc string, _ bool, v reflect.Value) {
		if doc == "" {
			t.Errorf("[%s] has no doc", name)
		}
		for f := range flat(v) {
			if toml := f.Tag.Get("toml"); toml == "" || toml != "-" && f.Tag.Get("doc") == "" { // "-": taken from another setting
				t.Errorf("%s.%s lacks a tag", name, f.Name)
			}
			if f.Tag.Get("secret") != "" {
				if _, ok := v.Type().FieldByName(f.Name + "File"); !ok {
					t.Errorf("%s.%s cannot come from a file", name, f.Name)
				}
			}
		}
	})
}

func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := Parse([]byte(`
[server]
hosts = ["Example.org", "a b"]
dta = "x"
admins = ["ann"]
[listen]
c2s = ["5222"]
c2s_tls = [":5223", ":5223"]
[login]
iterations = 1
conflict = "fight"
[limits]
stanza_bytes = 100
queue = "1 B"
[log]
level = "loud"
[[component]]
domain = "irc.example.org"
[[component]]
domain = "irc.example.org"
secret = "x"
privileges = ["root"]
[chat]
api_url = "http://chat.example/api/"
guest = 1
[gateway]
key = "short"
retry_max = "1ms"
`), "", []string{"DRAGOMAN_LOG_FORMAT=xml", "DRAGOMAN_NONSENSE=1", "PATH=/bin", "DRAGOMAN_TLS_REQUIRED=maybe"}, chatSection())
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	for _, want := range []string{
		`server.dta: there is no such setting; did you mean server.data?`, `server.hosts: "Example.org"`, `server.hosts: "a b"`, `server.admins: "ann"`,
		`listen.c2s: "5222"`, `listen.c2s_tls: ":5223" is listened on already`, `login.iterations: 1 `, `login.conflict: "fight"`,
		`limits.stanza_bytes: 100 B is not`, `limits.queue: 1 B is less`, `log.level: "loud"`, `log.format: "xml"`, `component[0].secret: `,
		`component[1].domain: "irc.example.org" is used already`, `component[1].privileges: "root"`, `chat.api_url: "http://chat.example/api/": http is for this machine only`, `chat.guest: there is no such setting`,
		`gateway.key: `, `gateway.retry_max: `, `DRAGOMAN_NONSENSE: `, `DRAGOMAN_TLS_REQUIRED: "maybe" is not true or false`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing: %s", want)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

// A domain may be used only once, also by networks. A network that is not enabled uses none.
func TestDomainsOfNetworks(t *testing.T) {
	t.Parallel()
	text := "[chat]\nenabled = true\ndomain = \"localhost\"\n"
	if _, err := Parse([]byte(text), "", nil, chatSection()); err == nil || !strings.Contains(err.Error(), `chat.domain: "localhost" is used already`) {
		t.Error(err)
	}
	if _, err := Parse([]byte(text), "", nil); err == nil || !strings.Contains(err.Error(), "chat.enabled: there is no such setting") {
		t.Errorf("a section of no network: %v", err)
	}
	if _, err := Parse([]byte(strings.Replace(text, "true", "false", 1)), "", nil, chatSection()); err != nil {
		t.Error(err)
	}
}

func TestSectionNamesAreUnique(t *testing.T) {
	t.Parallel()
	for _, s := range []Section{{Name: "server", Doc: "x", Settings: &chat{}}, {Name: "chat", Doc: "x", Settings: &struct{}{}}, {Name: "", Doc: "x", Settings: &chat{}}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("section %q passed", s.Name)
				}
			}()
			_, _ = Parse(nil, "", nil, s)
		}()
	}
}

func TestSyntaxErrorsNameTheLine(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"[server]\nhosts = [", "[limits]\n\nidle = \"soon\"", "[server]\nhosts = 3"} {
		_, err := Parse([]byte(text), "", nil)
		if err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
	_, err := Parse([]byte("[limits]\n\nidle = \"soon\""), "", nil)
	if err == nil || !strings.Contains(err.Error(), "soon") {
		t.Errorf("%v", err)
	}
}

func TestSecretsFromFilesAndEnvironment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "s"), []byte("from file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := "[server]\ndata = \"d\"\n[chat]\nsecret_file = \"s\"\n[[component]]\ndomain = \"x.y\"\nsecret_file = \"s\"\n"
	c, err := Parse([]byte(text), dir, []string{"DRAGOMAN_TALK_SECRET=from env", "DRAGOMAN_SERVER_HOSTS=a.example, b.example", "DRAGOMAN_LIMITS_IDLE=7s", "DRAGOMAN_LIMITS_RATE=0"},
		chatSection(), Section{Name: "talk", Doc: "Another.", Settings: &chat{APIURL: "http://127.0.0.1:1/"}})
	if err != nil {
		t.Fatal(err)
	}
	if c.Sections[0].Network().Secret != "from file" || c.Components[0].Secret != "from file" || c.Sections[1].Network().Secret != "from env" {
		t.Errorf("%+v", c)
	}
	if c.Server.Data != filepath.Join(dir, "d") || c.Server.Hosts[1] != "b.example" || time.Duration(c.Limits.Idle) != 7*time.Second || c.Limits.Rate != 0 {
		t.Errorf("%+v", c.Server)
	}
	if _, err := Parse([]byte("[chat]\nsecret = \"x\"\nsecret_file = \"s\""), dir, nil, chatSection()); err == nil {
		t.Error("both a secret and its file were accepted")
	}
	if _, err := Parse([]byte("[chat]\nsecret_file = \"absent\""), dir, nil, chatSection()); err == nil {
		t.Error("an absent file was accepted")
	}
}

func TestValuesRoundTrip(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"1s", "1m30s", "24h", "5m", "0s", "1ms"} {
		var d Duration
		if err := d.UnmarshalText([]byte(s)); err != nil || d.String() != s {
			t.Errorf("%s: %s %v", s, d, err)
		}
	}
	for in, want := range map[string]string{"256 KiB": "256 KiB", "10 kB": "10000 B", "1048576": "1 MiB", "0": "0 B", "3B": "3 B"} {
		var b Bytes
		if err := b.UnmarshalText([]byte(in)); err != nil || b.String() != want {
			t.Errorf("%s: %s %v", in, b, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Example())
	f.Add("[server]\nhosts = [\"a\"]")
	f.Add("[chat]\nwait = \"1s\"")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse([]byte(text), "", nil, chatSection())
		if err != nil {
			return
		}
		l := c.Limits
		if len(c.Server.Hosts) == 0 || l.StanzaBytes < minStanza || l.LoginBytes < minStanza || l.ComponentBytes < minStanza || l.Queue < l.StanzaBytes ||
			l.ComponentQueue < l.ComponentBytes || min(l.StanzaElements, l.StanzaDepth, l.StanzaAttributes, l.LoginElements, l.LoginDepth, l.LoginAttributes) <= 0 ||
			min(l.Sessions, l.RosterItems, l.RosterRequests, l.ComponentElements) <= 0 || min(l.Connections, l.NewConnections, c.Login.Failures) < 0 ||
			c.Login.Tries < 2 || c.Login.Iterations < 4096 || c.Login.TLSWait <= 0 || c.Login.Wait <= 0 || l.Idle <= 0 {
			t.Errorf("%q passed as %+v", text, c)
		}
	})
}

// The URL of the database may contain a password, so error messages must not contain it.
func TestStoreURL(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"mysql://u:password@h/d", "postgres://u:password@h:port/d", "password"} {
		_, err := Parse([]byte("[store]\nurl = \""+bad+"\""), "", nil)
		if err == nil || strings.Contains(err.Error(), "password") || !strings.Contains(err.Error(), "store.url") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	c, err := Parse(nil, "", []string{"DRAGOMAN_STORE_URL=postgres://u:password@h/d"})
	if err != nil || c.Store.URL != "postgres://u:password@h/d" {
		t.Errorf("from the environment: %q %v", c.Store.URL, err)
	}
}

func TestServices(t *testing.T) {
	t.Parallel()
	c, err := Parse([]byte("[[service]]\ntype = \"turn\"\nhost = \"turn.example.org\"\nport = 3478\nsecret = \"x\"\n[[service]]\ntype = \"stun\"\nhost = \"192.0.2.1\"\nexpires = \"1h\"\n"), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Services) != 2 || c.Services[0].Expires != Duration(24*time.Hour) || c.Services[1].Expires != Duration(time.Hour) {
		t.Errorf("%+v", c.Services)
	}
	var problems Problems
	_, err = Parse([]byte("[[service]]\nport = 70000\ntransport = \"sctp\"\nsecret = \"x\"\nusername = \"y\"\n"), "", nil)
	if !errors.As(err, &problems) || len(problems) != 5 {
		t.Errorf("problems: %v", err)
	}
}
