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
			plan, err := explain(s, text, args...)
			if err != nil || strings.Contains(plan, "SCAN") || strings.Contains(plan, "TEMP B-TREE") || !strings.Contains(plan, "(archive=? AND position>? AND position<?)") {
				t.Errorf("%v with %s, backwards %v:\n%s", err, with, backwards, plan)
			}
		}
	}
}

// So does the search for an id that the server has not made: anybody may ask for one that is not there.
func TestPlanOfForeignID(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	plan, err := explain(s, archives.FindTextStatement, 1, []byte("id"))
	if err != nil || strings.Contains(plan, "SCAN") || !strings.Contains(plan, "archive_messages_text_id (id=?)") || !strings.Contains(plan, "(archive=? AND position=?)") {
		t.Errorf("%v:\n%s", err, plan)
	}
}

func explain(s *store.Store, query string, args ...any) (plan string, err error) {
	rows, err := s.Reader().Query(`EXPLAIN QUERY PLAN `+query, args...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	for rows.Next() {
		var a, b, c int
		var step string
		if err := rows.Scan(&a, &b, &c, &step); err != nil {
			return "", err
		}
		plan += step + "\n"
	}
	return plan, rows.Err()
}
