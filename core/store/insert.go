package store

import (
	"database/sql"
	"fmt"
	"reflect"
	"strings"
)

// ColumnType is how PostgreSQL reads the values of a column that come as one array.
type ColumnType string

// The types of columns.
const (
	Text   ColumnType = "text"
	BigInt ColumnType = "bigint"
	Bool   ColumnType = "boolean"
	Bytes  ColumnType = "bytea" // nil is NULL
)

// Column is one column of an Insert.
type Column struct {
	Name string
	Type ColumnType
}

// Insert is a statement that adds any number of rows at once: on PostgreSQL it is one
// statement with an array for each column, on SQLite one for each row, which costs no round trip.
type Insert struct {
	columns []Column
	text    [2]string // by Dialect
}

// NewInsert makes the statement. where, if not empty, is a condition on the values of a row, as
// new.column: with it an insert can pass over rows that belong to nothing any more
// (EXISTS (SELECT 1 FROM accounts WHERE jid = new.account)). conflict, if not empty, is what
// stands behind ON CONFLICT. With DO UPDATE, one call must not hold the same key twice.
func NewInsert(table string, columns []Column, where, conflict string) *Insert {
	names, arrays := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
		arrays[i] = fmt.Sprintf("$%d::%s[]", i+1, c.Type)
	}
	list := strings.Join(names, ", ")
	head := "INSERT INTO " + table + " (" + list + ") "
	tail := ""
	if conflict != "" {
		tail = " ON CONFLICT " + conflict
	}
	i := &Insert{columns: columns}
	i.text[Postgres] = head + "SELECT " + list + " FROM unnest(" + strings.Join(arrays, ", ") + ") AS new (" + list + ")"
	i.text[SQLite] = head + "VALUES " + marks(len(columns))
	if where != "" {
		i.text[Postgres] += " WHERE " + where
		i.text[SQLite] = head + "SELECT " + list + " FROM (SELECT ? AS " + strings.Join(names, ", ? AS ") + ") AS new WHERE " + where
	}
	for d := range i.text {
		i.text[d] += tail
	}
	return i
}

// InsertRows runs an Insert and returns how many rows were written. A row has a value for each
// column: a string, int, int64, bool or []byte, or a named type of one of them; nil is NULL.
func (s *Store) InsertRows(tx *sql.Tx, insert *Insert, rows [][]any) (int64, error) {
	return insert.Run(tx, s.dialect, rows)
}

// Run is Store.InsertRows for those who know the engine by its dialect alone.
func (i *Insert) Run(tx *sql.Tx, d Dialect, rows [][]any) (int64, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	if d == Postgres {
		return affected(tx.Exec(i.text[Postgres], arrays(i.columns, rows)...))
	}
	var total int64
	for _, row := range rows {
		n, err := affected(tx.Exec(i.text[SQLite], row...))
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

// arrays turns rows into one slice for each column.
func arrays(columns []Column, rows [][]any) []any {
	list := make([]any, len(columns))
	for c, column := range columns {
		switch column.Type {
		case Text:
			list[c] = collect(rows, c, reflect.Value.String)
		case BigInt:
			list[c] = collect(rows, c, reflect.Value.Int)
		case Bool:
			list[c] = collect(rows, c, reflect.Value.Bool)
		case Bytes:
			list[c] = collectBytes(rows, c)
		}
	}
	return list
}

// collectBytes is a column of rows, in which nil is NULL.
func collectBytes(rows [][]any, column int) [][]byte {
	values := make([][]byte, len(rows))
	for i, row := range rows {
		switch v := row[column].(type) {
		case []byte:
			values[i] = v
		case nil:
		default:
			values[i] = reflect.ValueOf(v).Bytes()
		}
	}
	return values
}

// collect is a column of rows as []T, or as []*T where a value is NULL.
func collect[T any](rows [][]any, column int, convert func(reflect.Value) T) any {
	values := make([]T, len(rows))
	null := false
	for i, row := range rows {
		switch v := row[column].(type) {
		case T:
			values[i] = v
		case nil:
			null = true
		default:
			values[i] = convert(reflect.ValueOf(v))
		}
	}
	if !null {
		return values
	}
	pointers := make([]*T, len(rows))
	for i, row := range rows {
		if row[column] != nil {
			pointers[i] = &values[i]
		}
	}
	return pointers
}
