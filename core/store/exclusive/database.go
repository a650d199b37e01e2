package exclusive

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Times of the connection that holds the lock of a database.
const (
	checkEvery  = 15 * time.Second // between checks that the connection still works
	checkTime   = 10 * time.Second // for the answer to a check
	relockEvery = time.Second      // between attempts to connect again
	closeTime   = time.Second      // for closing the connection
)

const (
	// 1685217639 is "drag"; the second half of the key is the schema.
	tryLockSQL = `SELECT pg_try_advisory_lock(1685217639, hashtext(current_schema()))`

	holderSQL = `SELECT a.application_name, a.pid FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 1685217639 AND l.objsubid = 2
AND l.objid::bigint = (hashtext(current_schema())::bigint & 4294967295) AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`
)

// Connect makes a connection to the database, with an application name that pg_stat_activity shows to other processes.
type Connect func(ctx context.Context, application string) (*pgconn.PgConn, error)

// Database is the lock of a database. Close releases it.
type Database struct {
	connect Connect
	what    string // names the database in errors
	holder  Holder // this process
	id      string // the last word of the application name: by it a process recognises its own connections
	conn    *pgconn.PgConn
	lost    chan error // see Lost
	stop    context.CancelFunc
	done    chan struct{}
}

// LockDatabase locks a database, which errors call what. The error is a *HeldError if another process has locked it. A nil lock means
// that none is needed: the command works beside a server.
func LockDatabase(ctx context.Context, what string, role Role, connect Connect) (*Database, error) {
	lock, err := wait(ctx, role, func() (io.Closer, error) {
		d := &Database{connect: connect, what: what, holder: self(role), id: strings.ToLower(rand.Text()[:8]), lost: make(chan error, 1), done: make(chan struct{})}
		if err := d.lock(ctx); err != nil {
			return nil, err
		}
		return d, nil
	})
	d, ok := lock.(*Database)
	if err != nil || !ok {
		return nil, err
	}
	watching, stop := context.WithCancel(context.Background())
	d.stop = stop
	go d.watch(watching)
	return d, nil
}

// Lost returns a channel that gets an error when another process has taken the lock, after the connection was lost.
func (d *Database) Lost() <-chan error {
	if d == nil {
		return nil
	}
	return d.lost
}

// Close releases the lock.
func (d *Database) Close() error {
	if d == nil {
		return nil
	}
	d.stop()
	<-d.done
	if d.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	return d.conn.Close(ctx)
}

// lock connects and takes the lock.
func (d *Database) lock(ctx context.Context) error {
	conn, err := d.connect(ctx, d.holder.String()+" "+d.id)
	if err != nil {
		return err
	}
	locked, err := query(ctx, conn, tryLockSQL)
	if err == nil && len(locked) == 1 && locked[0][0] == "t" {
		d.conn = conn
		return nil
	}
	if err == nil {
		err = d.heldBy(ctx, conn)
	}
	return errors.Join(err, conn.Close(ctx))
}

// heldBy returns the error for a lock that is held. A connection of this process that was lost, and that the database has not noticed
// yet, is ended.
func (d *Database) heldBy(ctx context.Context, conn *pgconn.PgConn) error {
	rows, err := query(ctx, conn, holderSQL)
	if err != nil {
		return fmt.Errorf("find out who uses %s: %w", d.what, err)
	}
	held := &HeldError{What: d.what}
	for _, row := range rows {
		name, id, _ := cutLast(row[0], " ")
		if id == d.id {
			if _, err := query(ctx, conn, `SELECT pg_terminate_backend(`+row[1]+`)`); err != nil {
				return fmt.Errorf("end the lost connection: %w", err)
			}
			return errOwnConnection
		}
		held.Holder = parseHolder(name)
	}
	return held
}

// errOwnConnection means that a lost connection of this process held the lock. It is ended now; relock tries again.
var errOwnConnection = errors.New("the lock was held by a lost connection of this process")

// watch takes the lock again when the connection is lost.
func (d *Database) watch(ctx context.Context) {
	defer close(d.done)
	for ctx.Err() == nil {
		d.check(ctx)
		if ctx.Err() != nil {
			return
		}
		_ = d.conn.Close(ctx) // it is lost
		d.conn = nil
		if err := d.relock(ctx); err != nil {
			d.lost <- err
			return
		}
	}
}

// check returns when the connection is lost or ctx ends.
func (d *Database) check(ctx context.Context) {
	for {
		waiting, cancel := context.WithTimeout(ctx, checkEvery)
		err := d.conn.WaitForNotification(waiting) // it returns at once if the connection is closed
		cancel()
		if ctx.Err() != nil || err != nil && !pgconn.Timeout(err) || d.conn.IsClosed() {
			return
		}
		asking, cancel := context.WithTimeout(ctx, checkTime)
		_, err = query(asking, d.conn, `SELECT 1`)
		cancel()
		if err != nil {
			return
		}
	}
}

// relock takes the lock after the connection was lost. It returns an error if another process holds it.
func (d *Database) relock(ctx context.Context) error {
	for {
		err := d.lock(ctx)
		var held *HeldError
		switch {
		case err == nil || ctx.Err() != nil:
			return nil
		case errors.As(err, &held):
			return fmt.Errorf("the connection to the database was lost, and another process has locked the database since: %w", held)
		}
		select {
		case <-time.After(relockEvery): // nothing is logged: the database cannot be reached, which the store reports
		case <-ctx.Done():
			return nil
		}
	}
}

// query returns the rows of a statement as text.
func query(ctx context.Context, conn *pgconn.PgConn, statement string) ([][]string, error) {
	results, err := conn.Exec(ctx, statement).ReadAll()
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for _, r := range results {
		for _, row := range r.Rows {
			var texts []string
			for _, value := range row {
				texts = append(texts, string(value))
			}
			rows = append(rows, texts)
		}
	}
	return rows, nil
}
