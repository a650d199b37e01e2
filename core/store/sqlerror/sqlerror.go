package sqlerror

import (
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"

	"github.com/dragoman-im/dragoman/core/store/postgres"
)

// SQLiteAdvice says what to do about a fault of the disk or of the file; "" for other errors.
func SQLiteAdvice(err error) string {
	var fault sqlite3.Error
	if !errors.As(err, &fault) {
		return ""
	}
	switch fault.Code {
	case sqlite3.ErrFull:
		return "the disk is full: free space where the database is; all goes on by itself then"
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return "another program holds a lock on the database: end it, or let it finish; all goes on by itself then"
	case sqlite3.ErrIoErr:
		return "the disk does not take what is written: look at its health, its quota and the limit on the size of files"
	case sqlite3.ErrReadonly, sqlite3.ErrCantOpen, sqlite3.ErrPerm, sqlite3.ErrAuth:
		return "the database must not be written: look at the rights of the data directory and how its file system is mounted"
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return "the database is damaged: stop the server and restore the last backup"
	}
	return ""
}

// SQLSTATE codes, and classes of them (PostgreSQL, appendix A).
const (
	pgConstraint     = "23"
	pgForeignKey     = "23503"
	pgConflict       = "40" // serialization failure, deadlock
	pgConnection     = "08"
	pgDiskFull       = "53100"
	pgResources      = "53"
	pgLock           = "55P03"
	pgIntervention   = "57" // shutdown, cancelled
	pgSystem         = "58" // I/O errors
	pgCorrupt        = "XX"
	pgReadOnly       = "25006"
	pgNotAuthorised  = "28"
	pgNoPrivilege    = "42501"
	pgDatabaseAbsent = "3D"
)

// PostgresAdvice says what to do about a fault of the server or of the connection.
func PostgresAdvice(err error) string {
	code := State(err)
	switch {
	case code == "" && Disconnected(err):
		return "the database server cannot be reached: see whether it runs; all goes on by itself then"
	case code == "":
		return ""
	case code == pgDiskFull:
		return "the disk of the database server is full: free space there; all goes on by itself then"
	case code == pgLock, strings.HasPrefix(code, pgConflict):
		return "another program holds a lock on the database: look for long transactions in pg_stat_activity; all goes on by itself then"
	case strings.HasPrefix(code, pgConnection), strings.HasPrefix(code, pgIntervention), strings.HasPrefix(code, pgResources):
		return "the database server stops, starts or has too much to do: look at its log; all goes on by itself then"
	case strings.HasPrefix(code, pgSystem), strings.HasPrefix(code, pgCorrupt):
		return "the database server has a fault: look at its log and its disk"
	case code == pgReadOnly:
		return "the database server is read-only: is it a standby, and the URL that of the primary?"
	case code == pgNoPrivilege, strings.HasPrefix(code, pgNotAuthorised), strings.HasPrefix(code, pgDatabaseAbsent):
		return "the database server refuses this user: look at its rights, and at the URL"
	}
	return ""
}

// State is PostgreSQL's code of an error; "" where it is not one of the server's.
func State(err error) string {
	var fault *pgconn.PgError
	if errors.As(err, &fault) {
		return fault.Code
	}
	return ""
}

// Disconnected reports that the connection to PostgreSQL could not be made or was lost.
func Disconnected(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	var unknown *postgres.UnknownCommit
	return errors.As(err, &connect) || errors.As(err, &network) || errors.As(err, &unknown) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err)
}

// Constraint reports that a statement was refused for what it would have written.
func Constraint(err error) bool {
	var fault sqlite3.Error
	return errors.As(err, &fault) && fault.Code == sqlite3.ErrConstraint || strings.HasPrefix(State(err), pgConstraint)
}

// Locked reports that another process had a lock for the whole time that one waits for it.
func Locked(err error) bool {
	var fault sqlite3.Error
	return errors.As(err, &fault) && (fault.Code == sqlite3.ErrBusy || fault.Code == sqlite3.ErrLocked) || State(err) == pgLock
}

// Foreign reports that a row was refused because there is none that it could belong to.
func Foreign(err error) bool {
	var fault sqlite3.Error
	return errors.As(err, &fault) && fault.ExtendedCode == sqlite3.ErrConstraintForeignKey || State(err) == pgForeignKey
}

// RolledBack reports that a transaction was rolled back for no fault of its own, so that the same one may succeed: another
// one was in its way, or the connection was lost before COMMIT.
func RolledBack(err error) bool {
	if code := State(err); code != "" {
		return strings.HasPrefix(code, pgConflict) || strings.HasPrefix(code, pgConnection) || strings.HasPrefix(code, "57P")
	}
	var fault sqlite3.Error
	var unknown *postgres.UnknownCommit
	return !errors.As(err, &fault) && !errors.As(err, &unknown) && Disconnected(err)
}
