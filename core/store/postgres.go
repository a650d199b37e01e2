package store

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dragoman-im/dragoman/core/store/pipeline"
	"github.com/dragoman-im/dragoman/core/store/postgres"
)

// connectPostgres opens the pools of writers and readers.
func (s *Store) connectPostgres(ctx context.Context, o Options) error {
	writer := map[string]string{"jit": "off", "lock_timeout": strconv.FormatInt(o.BusyTimeout.Milliseconds(), 10)}
	reader := map[string]string{
		"jit":                           "off", // to compile a query takes ten times as long as to run it
		"default_transaction_read_only": "on",
		"default_transaction_isolation": "repeatable read", // one snapshot for each transaction
	}
	var err error
	if s.writes, err = postgres.Open(o.URL, true, writer); err != nil {
		return err
	}
	s.location = o.URL
	s.writes.SetMaxOpenConns(o.Partitions + 2) // one to migrate with, one to hold the lock for that
	s.writes.SetMaxIdleConns(o.Partitions)
	if err := s.writes.PingContext(ctx); err != nil {
		return err
	}
	if s.reads, err = postgres.Open(o.URL, false, reader); err != nil {
		return err
	}
	s.reads.SetMaxOpenConns(o.Readers)
	s.reads.SetMaxIdleConns(o.Readers)
	return nil
}

// NewPipeline makes a pipeline that executes a statement; Sync connects it. The arguments of the statement are integers.
func (s *Store) NewPipeline(name, statement string, arguments int) *pipeline.Pipeline {
	return pipeline.New(pipeline.Options{
		Name: name, Statement: postgres.Rewrite(statement), Arguments: arguments, Log: s.log,
		Connect: func(ctx context.Context) (*pgconn.PgConn, error) {
			return postgres.Connect(ctx, s.location, map[string]string{
				"synchronous_commit": "off", // nobody waits
				"lock_timeout":       strconv.FormatInt(defaultBusyTimeout.Milliseconds(), 10),
			})
		},
	})
}
