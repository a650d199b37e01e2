package store

import "strings"

// Dialect is the SQL of one database engine. SQL is written once, with ? or ?1 for arguments
// and in what both engines understand; doc.go says how the rest is written.
type Dialect uint8

// The dialects.
const (
	SQLite Dialect = iota
	Postgres
)

// String is the name of the dialect, and of its folder of migrations.
func (d Dialect) String() string {
	if d == Postgres {
		return "postgres"
	}
	return "sqlite"
}

// Dialect says which engine the store is on.
func (s *Store) Dialect() Dialect { return s.dialect }

// marks is n argument marks in brackets: (?, ?, ?).
func marks(n int) string {
	if n == 0 {
		return "()"
	}
	return "(?" + strings.Repeat(", ?", n-1) + ")"
}
