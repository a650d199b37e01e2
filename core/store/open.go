package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
)

// Limits of the connections; those that an Options field replaces are its defaults.
const (
	defaultBusyTimeout = 5 * time.Second
	minReaders         = 4
	defaultPartitions  = 4 // on PostgreSQL
)

// Options say where the store is and how it behaves. Only Path or URL is needed.
type Options struct {
	Path string       // the SQLite file; made with mode 0600 where it does not exist
	URL  string       // instead of Path: postgres://... or sqlite:path; it may hold a password
	Log  *slog.Logger // slog.Default where nil

	BusyTimeout time.Duration // how long to wait for another process's lock; 5 s where 0
	Readers     int           // connections that read; one per CPU, at least 4, where 0
	Partitions  int           // writers on PostgreSQL, each with its connection; 4 where 0. SQLite has one
	Unfinished  bool          // also open an unfinished copy of another database
	Iterations  int           // rounds of SCRAM for new passwords; sasl.DefaultIterations where 0
	Limits      Limits
}

// Store is an open database. Its methods may be called from any goroutine.
type Store struct {
	log        *slog.Logger
	location   string // the SQLite file, or the URL of the PostgreSQL database, which may hold a password
	place      string // which database it is, for the log
	dialect    Dialect
	limits     atomic.Pointer[Limits]
	iterations int
	writes     *sql.DB // one connection for each partition
	reads      *sql.DB
	partitions []*Partition
	offline    *offlineMessages
	archives   *archiving
	health     health
	onDelete   []func(tx *sql.Tx, account jid.JID) error

	Counters Counters
}

// Open opens the database, makes or migrates its schema, and starts the writer.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.BusyTimeout <= 0 {
		o.BusyTimeout = defaultBusyTimeout
	}
	if o.Readers <= 0 {
		o.Readers = max(minReaders, runtime.NumCPU())
	}
	if o.Iterations <= 0 {
		o.Iterations = sasl.DefaultIterations
	}
	s := &Store{log: o.Log, offline: &offlineMessages{}, iterations: o.Iterations}
	s.SetLimits(o.Limits)
	if err := s.locate(&o); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := s.connect(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", s.place, err), s.closeConnections())
	}
	if unfinished, err := s.Unfinished(ctx); err != nil || unfinished && !o.Unfinished {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", s.place, cmp.Or(err, ErrUnfinished)), s.closeConnections())
	}
	for range o.Partitions {
		s.partitions = append(s.partitions, newPartition(s))
	}
	s.archives = newArchiving(s)
	s.offline = newOfflineMessages(s, s.offline.log)
	for _, p := range s.partitions {
		go p.run()
	}
	return s, nil
}

// locate reads which engine and which database the options name.
func (s *Store) locate(o *Options) error {
	scheme, rest, ok := strings.Cut(o.URL, ":")
	switch {
	case !ok:
	case scheme == "sqlite":
		o.Path = rest
	case scheme == "postgres" || scheme == "postgresql":
		u, err := url.Parse(o.URL)
		if err != nil {
			return errors.New("the URL of the database cannot be read") // the error may hold the password
		}
		if o.Partitions <= 0 {
			o.Partitions = defaultPartitions
		}
		s.dialect, s.place = Postgres, cmp.Or(u.Host, u.Query().Get("host"))+u.Path
		return nil
	default:
		return fmt.Errorf("no engine for databases %s:...; there are sqlite and postgres", scheme)
	}
	o.Partitions = 1
	s.location, s.place = o.Path, o.Path
	return prepareFile(o.Path)
}

func (s *Store) connect(ctx context.Context, o Options) error {
	if s.dialect == Postgres {
		if err := s.connectPostgres(ctx, o); err != nil {
			return err
		}
		return s.migrateCore(ctx)
	}
	return s.connectSQLite(ctx, o)
}

func (s *Store) migrateCore(ctx context.Context) error {
	m, err := coreMigrations()
	if err != nil {
		return err
	}
	return s.Migrate(ctx, m)
}

// Reader is the pool of read-only connections.
func (s *Store) Reader() *sql.DB { return s.reads }

// Close refuses further writes, commits those that wait, and closes the file.
func (s *Store) Close() error {
	first := true
	for _, p := range s.partitions {
		first = p.queue.close()
	}
	for _, p := range s.partitions {
		<-p.done
	}
	s.offline.deleting.Wait()
	if !first {
		return nil
	}
	return s.closeConnections()
}

func (s *Store) closeConnections() error {
	var errs []error
	if s.reads != nil {
		errs = append(errs, s.reads.Close()) // first: the last connection to close removes the -wal file
	}
	if s.writes != nil {
		errs = append(errs, s.writes.Close())
	}
	if log := s.offline.log; log != nil {
		errs = append(errs, log.Close())
	}
	return errors.Join(errs...)
}
