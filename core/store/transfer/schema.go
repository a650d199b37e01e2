package transfer

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/store"
)

// table is one table as the source has it.
type table struct {
	name    string
	columns []column
	key     []int    // columns of the primary key, by index; none: it has few rows, which are copied at once
	parents []string // tables that its foreign keys refer to
}

type column struct {
	store.Column
	identity bool // PostgreSQL numbers new rows
}

// querier is the pool of readers or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// catalog are the queries that list what a database has. The columns of a row of columns are the
// name, the type, the place in the primary key (0: none), and whether it is an identity column.
type catalog struct{ tables, columns, parents string }

var catalogs = map[store.Dialect]catalog{
	store.SQLite: {
		tables: `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'
AND name NOT LIKE 'goose~_%' ESCAPE '~' AND name <> 'store_copy' ORDER BY name`,
		columns: `SELECT name, type, pk, FALSE FROM pragma_table_info(?) ORDER BY cid`,
		parents: `SELECT DISTINCT "table" FROM pragma_foreign_key_list(?)`,
	},
	store.Postgres: {
		tables: `SELECT CAST(tablename AS text) FROM pg_tables WHERE schemaname = current_schema()
AND tablename NOT LIKE 'goose~_%' ESCAPE '~' AND tablename <> 'store_copy' ORDER BY 1`,
		columns: `SELECT CAST(a.attname AS text), format_type(a.atttypid, NULL), coalesce(array_position(CAST(i.indkey AS int2[]), a.attnum) + 1, 0), a.attidentity <> ''
FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
WHERE a.attrelid = CAST(CAST(? AS text) AS regclass) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
		parents: `SELECT DISTINCT CAST(CAST(confrelid AS regclass) AS text) FROM pg_constraint WHERE contype = 'f' AND conrelid = CAST(CAST(? AS text) AS regclass)`,
	},
}

// readSchema lists the tables of a database, those that others refer to first.
func readSchema(ctx context.Context, q querier, d store.Dialect) ([]table, error) {
	c := catalogs[d]
	names, err := readTexts(ctx, q, c.tables)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	var list []table
	for _, name := range names {
		t := table{name: name}
		if err := t.readColumns(ctx, q, c.columns); err != nil {
			return nil, fmt.Errorf("read columns of %s: %w", name, err)
		}
		if t.parents, err = readTexts(ctx, q, c.parents, name); err != nil {
			return nil, fmt.Errorf("read foreign keys of %s: %w", name, err)
		}
		list = append(list, t)
	}
	return sorted(list), nil
}

func readTexts(ctx context.Context, q querier, query string, args ...any) ([]string, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}

func (t *table) readColumns(ctx context.Context, q querier, query string) error {
	rows, err := q.QueryContext(ctx, query, t.name)
	if err != nil {
		return err
	}
	defer rows.Close()
	places := map[int]int{}
	for rows.Next() {
		var c column
		var declared string
		var place int
		if err := rows.Scan(&c.Name, &declared, &place, &c.identity); err != nil {
			return err
		}
		if c.Type, err = columnType(declared); err != nil {
			return err
		}
		if place > 0 {
			places[place] = len(t.columns)
		}
		t.columns = append(t.columns, c)
	}
	for place := 1; place <= len(places); place++ {
		t.key = append(t.key, places[place])
	}
	return rows.Err()
}

// columnType is the type of a column by its name in either dialect.
func columnType(declared string) (store.ColumnType, error) {
	switch strings.ToUpper(declared) {
	case "TEXT":
		return store.Text, nil
	case "INTEGER", "BIGINT":
		return store.BigInt, nil
	case "BOOLEAN":
		return store.Bool, nil
	case "BLOB", "BYTEA":
		return store.Bytes, nil
	}
	return "", fmt.Errorf("columns of type %q cannot be copied", declared)
}

// sorted puts parents before their children. Foreign keys make no circles.
func sorted(list []table) []table {
	var out []table
	var add func(t table)
	add = func(t table) {
		if slices.ContainsFunc(out, func(o table) bool { return o.name == t.name }) {
			return
		}
		for _, parent := range t.parents {
			if i := slices.IndexFunc(list, func(o table) bool { return o.name == parent }); i >= 0 && parent != t.name {
				add(list[i])
			}
		}
		out = append(out, t)
	}
	for _, t := range list {
		add(t)
	}
	return out
}

// withParentsOf sorts tables by the foreign keys of the target too: it may have some that the source has not.
func withParentsOf(tables, target []table) []table {
	for i := range tables {
		for _, t := range target {
			if t.name == tables[i].name {
				tables[i].parents = append(tables[i].parents, t.parents...)
			}
		}
	}
	return sorted(tables)
}

// sameSchema checks that two databases have the same tables with the same columns.
func sameSchema(from, to []table) error {
	describe := func(list []table) []string {
		var texts []string
		for _, t := range list {
			for _, c := range t.columns {
				texts = append(texts, t.name+"."+c.Name+" "+string(c.Type))
			}
		}
		return texts
	}
	a, b := describe(from), describe(to)
	var differ []string
	for _, list := range [][2][]string{{a, b}, {b, a}} {
		for _, text := range list[0] {
			if !slices.Contains(list[1], text) {
				differ = append(differ, text)
			}
		}
	}
	if len(differ) > 0 {
		return fmt.Errorf("the databases have different tables: only one of them has %s", strings.Join(differ, ", "))
	}
	return nil
}

func (t *table) names() string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// order is the columns that rows are sorted by: the key, or all.
func (t *table) order() string {
	if len(t.key) == 0 {
		return t.names()
	}
	names := make([]string, len(t.key))
	for i, k := range t.key {
		names[i] = t.columns[k].Name
	}
	return strings.Join(names, ", ")
}

// query reads all rows in order, or those behind a key.
func (t *table) query(behind bool) string {
	text := "SELECT " + t.names() + " FROM " + t.name
	if behind {
		text += " WHERE (" + t.order() + ") > (?" + strings.Repeat(", ?", len(t.key)-1) + ")"
	}
	return text + " ORDER BY " + t.order()
}

func (t *table) insert() *store.Insert {
	columns := make([]store.Column, len(t.columns))
	for i, c := range t.columns {
		columns[i] = c.Column
	}
	return store.NewInsert(t.name, columns, "", "")
}
