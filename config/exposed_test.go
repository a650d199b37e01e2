package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestExposed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil { // overrides the umask
			t.Fatal(err)
		}
		return file
	}
	open, group := write("open", "x", 0o644), write("group", "x", 0o640)
	for _, c := range []struct {
		name, text string
		mode       os.FileMode
		want       []string
	}{
		{"none", "[chat]\nenabled = true\n", 0o644, nil},
		{"inside", "[chat]\nsecret = \"x\"\n", 0o644, []string{filepath.Join(dir, "inside")}},
		{"inside-closed", "[chat]\nsecret = \"x\"\n", 0o600, nil},
		{"component", "[[component]]\ndomain = \"a.b\"\nsecret = \"x\"\n", 0o604, []string{filepath.Join(dir, "component")}},
		{"file", "[chat]\nsecret_file = \"open\"\n[talk]\nsecret_file = \"group\"\n[[component]]\ndomain = \"a.b\"\nsecret_file = \"open\"\n", 0o644, []string{open}},
		{"closed", "[chat]\nsecret_file = \"group\"\n", 0o644, nil},
	} {
		file := write(c.name, c.text, c.mode)
		loaded, err := Load(file, nil, chatSection(), Section{Name: "talk", Doc: "Another.", Settings: &chat{APIURL: "http://127.0.0.1:1/"}})
		if err != nil {
			t.Fatal(err)
		}
		if got := Exposed(file, loaded); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q is exposed, want %q (beside %s)", c.name, got, c.want, group)
		}
	}
	both := Default()
	both.TLS.Certificate, both.TLS.Key = write("both.pem", "-----BEGIN PRIVATE KEY-----", 0o644), write("key.pem", "x", 0o600)
	if got := Exposed("", both); !slices.Equal(got, []string{both.TLS.Certificate}) {
		t.Errorf("a certificate with its key: %q", got)
	}
	if got := Exposed("", Default()); len(got) > 0 {
		t.Errorf("%q is exposed", got)
	}
}

// A certificate or key that every user can replace is refused.
func TestWritableKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"cert.pem": 0o666, "key.pem": 0o602} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil { // overrides the umask
			t.Fatal(err)
		}
	}
	_, err := Parse([]byte("[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n"), dir, nil)
	for _, want := range []string{"tls.certificate: every user of this machine can change ", "tls.key: every user of this machine can change ", "(mode 0602): chmod go-w "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
