package accounts

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dragoman-im/dragoman/config"
)

// ejabberd 25.07: an import reads nothing outside of its directory, neither by a link nor by an included name.
func TestEjabberd2507_ImportReadsNothingOutside(t *testing.T) {
	t.Parallel()
	const open = "<server-data xmlns='urn:xmpp:pie:0' xmlns:xi='http://www.w3.org/2001/XInclude'><host jid='home.test'><xi:include href='"
	parent := t.TempDir()
	outside := filepath.Join(parent, "secret.xml")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(outside, "<user xmlns='urn:xmpp:pie:0' name='ann' password='x'/>")
	for name, href := range map[string]string{"link": "link.xml", "above": "../secret.xml", "absolute": outside, "a file": "file://" + outside} {
		dir := filepath.Join(parent, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(outside, filepath.Join(dir, "link.xml")); err != nil {
			t.Fatal(err)
		}
		main := filepath.Join(dir, "main.xml")
		write(main, open+href+"'/></host></server-data>")
		c := config.Default()
		c.Server.Hosts, c.Server.Data = []string{"home.test"}, filepath.Join(dir, "data")
		i, err := OpenImport(t.Context(), c, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := i.Path(t.Context(), main); err == nil {
			t.Errorf("%s: imported %+v", name, i.Report)
		}
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	}
}
