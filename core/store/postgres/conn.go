package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	connectTimeout = "10" // seconds, where the URL says nothing
	application    = "dragoman"
)

// Open makes a pool of connections to the database at url, with these parameters of a session. Transactions of one that
// writes have the id by which the outcome of a lost COMMIT can be found out.
func Open(url string, writes bool, params map[string]string) (*sql.DB, error) {
	config, err := parse(url, params)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(&connector{Connector: stdlib.GetConnector(*config), statements: newRewriter(), writes: writes}), nil
}

// Connect makes a single connection outside of database/sql.
func Connect(ctx context.Context, url string, params map[string]string) (*pgconn.PgConn, error) {
	config, err := parse(url, params)
	if err != nil {
		return nil, err
	}
	return pgconn.ConnectConfig(ctx, &config.Config)
}

func parse(url string, params map[string]string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the URL of the database cannot be read") // the error may hold the password
	}
	if !strings.Contains(url, "connect_timeout") {
		if config, err = pgx.ParseConfig(withParameter(url, "connect_timeout", connectTimeout)); err != nil {
			return nil, errors.New("the URL of the database cannot be read")
		}
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = application
	}
	for k, v := range params {
		config.RuntimeParams[k] = v
	}
	return config, nil
}

func withParameter(url, key, value string) string {
	separator := "?"
	if strings.Contains(url, "?") {
		separator = "&"
	}
	return url + separator + key + "=" + value
}

// connector makes connections of the type conn.
type connector struct {
	driver.Connector
	statements *rewriter
	writes     bool
}

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{inner.(*stdlib.Conn), c}, nil
}

// conn is pgx's connection with statements in the form of package store.
type conn struct {
	*stdlib.Conn
	of *connector
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	return c.Conn.PrepareContext(ctx, c.of.statements.rewrite(query))
}

// ExecContext implements driver.ExecerContext.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.Conn.ExecContext(ctx, c.of.statements.rewrite(query), args)
}

// QueryContext implements driver.QueryerContext.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.QueryContext(ctx, c.of.statements.rewrite(query), args)
}

// CheckNamedValue implements driver.NamedValueChecker. PostgreSQL takes neither a zero byte in a text nor
// what is not UTF-8, and refuses the whole transaction. Stanzas have neither; in a text of
// another network they become U+FFFD.
func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	switch text := v.Value.(type) {
	case string:
		v.Value = validText(text)
	case []string:
		if slices.ContainsFunc(text, func(s string) bool { return validText(s) != s }) {
			text = slices.Clone(text)
			for i := range text {
				text[i] = validText(text[i])
			}
			v.Value = text
		}
	}
	return nil
}

func validText(text string) string {
	if utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 {
		return text
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// BeginTx implements driver.ConnBeginTx. It asks for the transaction's id in the same round trip,
// by which the outcome of a commit can be found out whose answer was lost.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	pg := c.Conn.Conn()
	if !c.of.writes {
		return c.Conn.BeginTx(ctx, opts)
	}
	if pg.IsClosed() {
		return nil, driver.ErrBadConn
	}
	results, err := pg.PgConn().Exec(ctx, "BEGIN; SELECT pg_current_xact_id()").ReadAll()
	if err != nil {
		if pgconn.SafeToRetry(err) {
			return nil, driver.ErrBadConn
		}
		return nil, err
	}
	id := ""
	if len(results) == 2 && len(results[1].Rows) == 1 {
		id = string(results[1].Rows[0][0])
	}
	return &transaction{conn: pg, id: id}, nil
}

// transaction is a transaction whose id is known.
type transaction struct {
	conn *pgx.Conn
	id   string
}

// UnknownCommit is a COMMIT whose answer was lost.
type UnknownCommit struct {
	ID    string // of the transaction
	Cause error
}

// Error implements error.
func (u *UnknownCommit) Error() string { return fmt.Sprintf("outcome unknown: %v", u.Cause) }

// Unwrap returns how the connection was lost.
func (u *UnknownCommit) Unwrap() error { return u.Cause }

// Commit implements driver.Tx.
func (t *transaction) Commit() error {
	if t.conn.IsClosed() {
		return driver.ErrBadConn // before COMMIT was sent
	}
	results, err := t.conn.PgConn().Exec(context.Background(), "COMMIT").ReadAll()
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused) && refused.Severity != "FATAL" && refused.Severity != "PANIC":
		return err
	case err != nil:
		return &UnknownCommit{t.id, err}
	case len(results) == 1 && results[0].CommandTag.String() == "ROLLBACK":
		return pgx.ErrTxCommitRollback
	}
	return nil
}

// Rollback implements driver.Tx.
func (t *transaction) Rollback() error {
	if t.conn.IsClosed() {
		return driver.ErrBadConn
	}
	_, err := t.conn.PgConn().Exec(context.Background(), "ROLLBACK").ReadAll()
	return err
}
