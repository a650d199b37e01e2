package postgres

import "testing"

func TestRewrite(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		`SELECT 1`:                         `SELECT 1`,
		`a = ? AND b = ?`:                  `a = $1 AND b = $2`,
		`a = ?2 AND b = ?1 OR c = ?12`:     `a = $2 AND b = $1 OR c = $12`,
		`a = '?' AND "?" = ? -- ?` + "\n?": `a = '?' AND "?" = $1 -- ?` + "\n$2",
		`a = 'it''s ?' AND b = ?`:          `a = 'it''s ?' AND b = $1`,
		`a = ? /*postgres FOR UPDATE*/`:    `a = $1 FOR UPDATE`,
		`a = ? /* a comment */`:            `a = $1 /* a comment */`,
		`?::bigint[]`:                      `$1::bigint[]`,
		`a = 'open`:                        `a = 'open`,
	} {
		if got := Rewrite(query); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", query, got, want)
		}
	}
}
