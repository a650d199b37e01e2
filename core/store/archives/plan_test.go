package archives_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/archives"
)

// Queries go by an index, and sort nothing.
func TestPlans(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, with := range []jid.JID{{}, jid.MustParse("bob@example.org")} {
		for _, backwards := range []bool{false, true} {
			text, args := archives.PageStatement(with, backwards)
			rows, err := s.Reader().Query(`EXPLAIN QUERY PLAN `+text, args...)
			if err != nil {
				t.Fatal(err)
			}
			plan := ""
			for rows.Next() {
				var a, b, c int
				var step string
				if err := rows.Scan(&a, &b, &c, &step); err != nil {
					t.Fatal(err)
				}
				plan += step + "\n"
			}
			if err := rows.Err(); err != nil || strings.Contains(plan, "SCAN") || strings.Contains(plan, "TEMP B-TREE") || !strings.Contains(plan, "(archive=? AND place>? AND place<?)") {
				t.Errorf("%v with %s, backwards %v:\n%s", err, with, backwards, plan)
			}
		}
	}
}
