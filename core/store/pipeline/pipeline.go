package pipeline

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	writeTime  = 100 * time.Millisecond // for one write to the socket
	answerTime = 30 * time.Second       // for the answers that Sync reads
)

// SyncEvery is how many statements may be sent before Sync is called. The answers to one are 54 bytes; the server's buffer of 8 KiB
// holds twice as many.
const SyncEvery = 75

// ErrLost means that the connection of the Pipeline is lost, until the next Sync. From Send: the statement may not have been
// executed.
var ErrLost = errors.New("the connection of the pipeline is lost")

// errNotConnected is the ErrLost of a Sync without a connection: no statement has been sent since the loss was reported.
var errNotConnected = fmt.Errorf("%w: it was not connected", ErrLost)

// Pipeline is a connection with a prepared statement. Its methods may be called from any goroutine.
type Pipeline struct {
	options Options

	reading sync.Mutex // held by Sync and Close, which read from the socket
	mu      sync.Mutex // guards the fields below; held during a write to the socket
	conn    net.Conn   // nil: lost, or not connected yet
	front   *pgproto3.Frontend
	out     []byte
}

// Options are what a Pipeline needs.
type Options struct {
	Name      string // one process at a time has an open Pipeline of a name
	Statement string // with $1, $2
	Arguments int    // all of them integers
	Connect   func(ctx context.Context) (*pgconn.PgConn, error)
	Log       *slog.Logger
}

// New makes a Pipeline, which Sync connects.
func New(o Options) *Pipeline { return &Pipeline{options: o} }

// Names of prepared statements.
const (
	beginStatement  = "b"
	workStatement   = "w"
	commitStatement = "c"
)

// lockSQL waits until the connection of an earlier process with a Pipeline of that name has ended.
const lockSQL = `SELECT pg_advisory_lock(hashtextextended(current_schema() || ' dragoman pipeline ' || $1, 0))`

// open connects and prepares the statements.
func (p *Pipeline) open(ctx context.Context) error {
	conn, err := p.options.Connect(ctx)
	if err != nil {
		return err
	}
	if err := p.prepare(ctx, conn); err != nil {
		return errors.Join(err, conn.Close(ctx))
	}
	raw, err := conn.Hijack()
	if err != nil {
		return errors.Join(err, conn.Close(ctx))
	}
	if err := raw.Conn.SetDeadline(time.Time{}); err != nil {
		return errors.Join(err, raw.Conn.Close())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conn, p.front = raw.Conn, raw.Frontend
	return nil
}

func (p *Pipeline) prepare(ctx context.Context, conn *pgconn.PgConn) error {
	_, err := conn.ExecParams(ctx, lockSQL, [][]byte{[]byte(p.options.Name)}, nil, nil, nil).Close()
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.Code == lockNotAvailable {
		p.options.Log.Warn("the connection of another process has not ended: what it sent last may not be executed yet", "pipeline", p.options.Name)
		err = nil
	}
	for name, text := range map[string]string{beginStatement: "BEGIN", workStatement: p.options.Statement, commitStatement: "COMMIT"} {
		if err == nil {
			_, err = conn.Prepare(ctx, name, text, nil)
		}
	}
	return err
}

// lockNotAvailable is the SQLSTATE of a lock that was waited for too long.
const lockNotAvailable = "55P03"

// Send sends the statement with its arguments to the server. It does not wait, except for a socket whose buffer is full.
func (p *Pipeline) Send(arguments ...int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == nil {
		return ErrLost
	}
	if len(arguments) != p.options.Arguments {
		return fmt.Errorf("pipeline %s: %d arguments instead of %d", p.options.Name, len(arguments), p.options.Arguments)
	}
	p.out = appendExecute(p.out[:0], beginStatement)
	p.out = appendExecute(p.out, workStatement, arguments...)
	p.out = appendExecute(p.out, commitStatement)
	return p.write()
}

// write writes p.out. After an error the connection is closed, since the server may have a part of it.
func (p *Pipeline) write() error {
	_ = p.conn.SetWriteDeadline(time.Now().Add(writeTime)) // the write fails as well
	if _, err := p.conn.Write(p.out); err != nil {
		_ = p.conn.Close()
		p.conn = nil
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	return nil
}

// appendExecute appends the messages Bind and Execute for a prepared statement with arguments of 8 bytes.
func appendExecute(dst []byte, statement string, arguments ...int64) []byte {
	const binaryFormat = 1
	bind := pgproto3.Bind{PreparedStatement: statement, ParameterFormatCodes: []int16{binaryFormat}}
	for _, n := range arguments {
		bind.Parameters = append(bind.Parameters, binary.BigEndian.AppendUint64(nil, uint64(n)))
	}
	dst, _ = bind.Encode(dst) // fails for more than 65535 arguments only
	dst, _ = (&pgproto3.Execute{}).Encode(dst)
	return dst
}

// Sync returns when the server has executed everything that was sent before. Where the connection is lost, it connects
// again, and returns an error if statements that were sent may not be executed. Call it from time to time, because nothing else
// reads the answers.
func (p *Pipeline) Sync(ctx context.Context) error {
	p.reading.Lock()
	defer p.reading.Unlock()
	err := p.sync()
	if err == nil {
		return nil
	}
	if err := p.open(ctx); err != nil {
		return fmt.Errorf("open pipeline %s: %w", p.options.Name, err)
	}
	if errors.Is(err, errNotConnected) {
		return nil
	}
	return err
}

// sync sends Sync and reads all answers, the last of which is the one to Sync.
func (p *Pipeline) sync() error {
	p.mu.Lock()
	if p.conn == nil {
		p.mu.Unlock()
		return errNotConnected
	}
	conn, front := p.conn, p.front
	p.out, _ = (&pgproto3.Sync{}).Encode(p.out[:0]) // never fails
	err := p.write()
	p.mu.Unlock()
	if err != nil {
		return err
	}
	_ = conn.SetReadDeadline(time.Now().Add(answerTime)) // the read fails as well
	for {
		answer, err := front.Receive()
		if err != nil {
			p.lose(conn)
			return fmt.Errorf("%w: %w", ErrLost, err)
		}
		switch m := answer.(type) {
		case *pgproto3.ErrorResponse: // the server skips what was sent after that statement, up to Sync
			refused := fmt.Errorf("%w: %w", ErrLost, pgconn.ErrorResponseToPgError(m))
			p.lose(conn) // also because its transaction is still open
			return refused
		case *pgproto3.ReadyForQuery:
			return nil
		}
	}
}

// lose closes a connection that cannot be used any longer.
func (p *Pipeline) lose(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = conn.Close()
	if p.conn == conn {
		p.conn = nil
	}
}

// Close waits for what was sent, and closes the connection.
func (p *Pipeline) Close() error {
	p.reading.Lock()
	defer p.reading.Unlock()
	err := p.sync()
	if errors.Is(err, ErrLost) {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == nil {
		return err
	}
	p.out, _ = (&pgproto3.Terminate{}).Encode(p.out[:0]) // never fails
	if p.write() == nil {
		err = errors.Join(err, p.conn.Close())
		p.conn = nil
	}
	return err
}
