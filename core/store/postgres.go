package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/dragoman-im/dragoman/core/store/pipeline"
)

// PostgreSQL is reached through pgx's adapter to database/sql, not its own pool: all methods
// that read and write are then the same for both engines. pgx's own interface is underneath, for
// arrays and for what pgConn adds.

const (
	pgConnectTimeout = "10" // seconds, where the URL says nothing
	pgApplication    = "dragoman"
)

// connectPostgres opens the pools of writers and readers.
func (s *Store) connectPostgres(ctx context.Context, o Options) error {
	writer := map[string]string{"lock_timeout": strconv.FormatInt(o.BusyTimeout.Milliseconds(), 10)}
	reader := map[string]string{
		"default_transaction_read_only": "on",
		"default_transaction_isolation": "repeatable read", // one snapshot for each transaction
	}
	var err error
	if s.writes, err = openPostgres(o.URL, true, writer); err != nil {
		return err
	}
	s.location = o.URL
	s.writes.SetMaxOpenConns(o.Partitions + 2) // one to migrate with, one to hold the lock for that
	s.writes.SetMaxIdleConns(o.Partitions)
	if err := s.writes.PingContext(ctx); err != nil {
		return err
	}
	if s.reads, err = openPostgres(o.URL, false, reader); err != nil {
		return err
	}
	s.reads.SetMaxOpenConns(o.Readers)
	s.reads.SetMaxIdleConns(o.Readers)
	return nil
}

func openPostgres(url string, writes bool, params map[string]string) (*sql.DB, error) {
	config, err := postgresConfig(url, params)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(&pgConnector{Connector: stdlib.GetConnector(*config), statements: newRewriter(), writes: writes}), nil
}

func postgresConfig(url string, params map[string]string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the URL of the database cannot be read") // the error may hold the password
	}
	if !strings.Contains(url, "connect_timeout") {
		if config, err = pgx.ParseConfig(withParameter(url, "connect_timeout", pgConnectTimeout)); err != nil {
			return nil, errors.New("the URL of the database cannot be read")
		}
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = pgApplication
	}
	for k, v := range params {
		config.RuntimeParams[k] = v
	}
	return config, nil
}

// NewPipeline makes a pipeline that executes a statement; Sync connects it. The arguments of the statement are integers.
func (s *Store) NewPipeline(name, statement string, arguments int) *pipeline.Pipeline {
	return pipeline.New(pipeline.Options{
		Name: name, Statement: newRewriter().rewrite(statement), Arguments: arguments, Log: s.log,
		Connect: func(ctx context.Context) (*pgconn.PgConn, error) {
			config, err := postgresConfig(s.location, map[string]string{
				"synchronous_commit": "off", // nobody waits
				"lock_timeout":       strconv.FormatInt(defaultBusyTimeout.Milliseconds(), 10),
			})
			if err != nil {
				return nil, err
			}
			return pgconn.ConnectConfig(ctx, &config.Config)
		},
	})
}

func withParameter(url, key, value string) string {
	separator := "?"
	if strings.Contains(url, "?") {
		separator = "&"
	}
	return url + separator + key + "=" + value
}

// pgConnector makes connections of the type pgConn.
type pgConnector struct {
	driver.Connector
	statements *rewriter
	writes     bool
}

// Connect implements driver.Connector.
func (c *pgConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &pgConn{conn.(*stdlib.Conn), c}, nil
}

// pgConn is pgx's connection with statements in the form of this package.
type pgConn struct {
	*stdlib.Conn
	of *pgConnector
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *pgConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	return c.Conn.PrepareContext(ctx, c.of.statements.rewrite(query))
}

// ExecContext implements driver.ExecerContext.
func (c *pgConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.Conn.ExecContext(ctx, c.of.statements.rewrite(query), args)
}

// QueryContext implements driver.QueryerContext.
func (c *pgConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.QueryContext(ctx, c.of.statements.rewrite(query), args)
}

// CheckNamedValue implements driver.NamedValueChecker. PostgreSQL takes neither a zero byte in a text nor
// what is not UTF-8, and refuses the whole transaction. Stanzas have neither; in a text of
// another network they become U+FFFD.
func (c *pgConn) CheckNamedValue(v *driver.NamedValue) error {
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
func (c *pgConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
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
	return &pgTx{conn: pg, id: id}, nil
}

// pgTx is a transaction whose id is known.
type pgTx struct {
	conn *pgx.Conn
	id   string
}

// unknownCommit is a COMMIT whose answer was lost.
type unknownCommit struct {
	id    string // of the transaction
	cause error
}

func (u *unknownCommit) Error() string { return fmt.Sprintf("outcome unknown: %v", u.cause) }
func (u *unknownCommit) Unwrap() error { return u.cause }

// Commit implements driver.Tx.
func (t *pgTx) Commit() error {
	if t.conn.IsClosed() {
		return driver.ErrBadConn // before COMMIT was sent
	}
	results, err := t.conn.PgConn().Exec(context.Background(), "COMMIT").ReadAll()
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused) && refused.Severity != "FATAL" && refused.Severity != "PANIC":
		return err
	case err != nil:
		return &unknownCommit{t.id, err}
	case len(results) == 1 && results[0].CommandTag.String() == "ROLLBACK":
		return pgx.ErrTxCommitRollback
	}
	return nil
}

// Rollback implements driver.Tx.
func (t *pgTx) Rollback() error {
	if t.conn.IsClosed() {
		return driver.ErrBadConn
	}
	_, err := t.conn.PgConn().Exec(context.Background(), "ROLLBACK").ReadAll()
	return err
}
