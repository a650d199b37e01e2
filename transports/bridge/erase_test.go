package bridge_test

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// What was unlinked leaves no text in any file of the data directory while the gateway goes on. On PostgreSQL, whose files keep
// deleted rows until VACUUM, it leaves none in any row.
func TestUnlinkLeavesNoText(t *testing.T) {
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
		where := func() []string {
			if storetest.OnPostgres() {
				return tablesWith(h, h.store.Reader(), secret)
			}
			return filesWith(t, h.dir, secret)
		}
		if len(where()) == 0 {
			t.Fatal("the text is nowhere")
		}
		if a := h.ask(phone, domain, stanza.TypeSet, stanza.NewElement(nsRegister, "query").Add(stanza.NewElement(nsRegister, "remove"))); a.Type != stanza.TypeResult {
			t.Fatal(a)
		}
		if left := where(); len(left) > 0 {
			t.Errorf("still in %q", left)
		}
	})
}

// tablesWith are the tables of a PostgreSQL database that have a text in a row, as text or as bytes.
func tablesWith(t testing.TB, db *sql.DB, text string) (list []string) {
	t.Helper()
	for table := range storetest.Tables(t, db) {
		found := false
		query := fmt.Sprintf(`SELECT EXISTS (SELECT 1 FROM %s x WHERE position($1 IN x::text) > 0 OR position($2 IN x::text) > 0)`, table)
		if err := db.QueryRowContext(t.Context(), query, text, hex.EncodeToString([]byte(text))).Scan(&found); err != nil {
			t.Fatal(err)
		}
		if found {
			list = append(list, table)
		}
	}
	return list
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
