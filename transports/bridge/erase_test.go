package bridge_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// What was unlinked leaves no text in any file of the data directory while the gateway goes on.
func TestUnlinkLeavesNoText(t *testing.T) {
	if storetest.OnPostgres() {
		t.Skip("PostgreSQL's files keep deleted rows until VACUUM")
	}
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.link(desk, "ben")
		h.join(phone, "plaza")
		const secret = "between-you-and-me"
		st := h.sendTo(phone, "cleo", secret)
		h.sendTo(phone, "cleo", secret+"!", replace(st.ID))
		h.world.SayDirect("cleo", "ann", secret)
		h.world.Outage(true)
		h.sendTo(phone, "cleo", secret+"?")
		h.discard()
		if len(filesWith(t, h.dir, secret)) == 0 {
			t.Fatal("the text is in no file")
		}
		if a := h.ask(phone, domain, stanza.TypeSet, stanza.NewElement(nsRegister, "query").Add(stanza.NewElement(nsRegister, "remove"))); a.Type != stanza.TypeResult {
			t.Fatal(a)
		}
		if files := filesWith(t, h.dir, secret); len(files) > 0 {
			t.Errorf("still in %q", files)
		}
	})
}

// filesWith are the files below a directory that contain a text.
func filesWith(t *testing.T, dir, text string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil && bytes.Contains(data, []byte(text)) {
			list = append(list, e.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
