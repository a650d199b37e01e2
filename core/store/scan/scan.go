package scan

import (
	"context"
	"database/sql"
)

// Row is one row: sql.Row or the current one of sql.Rows.
type Row interface{ Scan(...any) error }

// Querier is a transaction or the pool of readers.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Rows reads all rows of a query, each with read. The first error ends it.
func Rows[T any](ctx context.Context, q Querier, read func(row Row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		v, err := read(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}
