package exclusive

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/store/storetest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("EXCLUSIVE_TEST_HOLD"); dir != "" {
		hold(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// hold locks a directory and waits to be killed.
func hold(dir string) {
	if _, err := Directory(context.Background(), dir, Serve); err != nil {
		panic(err)
	}
	_, _ = os.Stdout.WriteString("locked\n")
	select {}
}

// The error names the process that holds the directory. The lock ends with the process, also if it is killed.
func TestDirectoryOfAnotherProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	other := exec.CommandContext(t.Context(), os.Args[0])
	other.Env = append(os.Environ(), "EXCLUSIVE_TEST_HOLD="+dir)
	out, err := other.StdoutPipe()
	if err == nil {
		err = other.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "locked\n" {
		t.Fatalf("%q %v", line, err)
	}
	for _, role := range []Role{Serve, Component, Copy} {
		_, err := Directory(t.Context(), dir, role)
		var held *HeldError
		if !errors.As(err, &held) || held.Holder.PID != other.Process.Pid || held.Holder.Role != Serve || !strings.Contains(err.Error(), "'dragoman serve', process ") {
			t.Errorf("%s: %v", role, err)
		}
	}
	beside, err := Directory(t.Context(), dir, Account) // works beside a server
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(beside.Close(), other.Process.Kill()); err != nil {
		t.Error(err)
	}
	_ = other.Wait() // killed
	lock, err := Directory(t.Context(), dir, Serve)
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Close(); err != nil {
		t.Error(err)
	}
}

// A server waits for a command that manages accounts, and gives up after a while. That command does not work while a copy is made.
func TestRoles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	account, err := Directory(t.Context(), dir, Account)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Directory(t.Context(), dir, Account)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(100*time.Millisecond, func() { _ = account.Close() })
	copying, err := Directory(t.Context(), dir, Copy)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	var held *HeldError
	if _, err := Directory(t.Context(), dir, Account); !errors.As(err, &held) || held.Holder.Role != Copy {
		t.Errorf("beside a copy: %v", err)
	}
	if err := copying.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Directory(t.Context(), filepath.Join(dir, "nowhere"), Serve); err == nil || errors.As(err, &held) && held.Holder.PID == 0 {
		t.Errorf("a directory that is not there: %v", err)
	}
}

func TestHolder(t *testing.T) {
	t.Parallel()
	h := Holder{Copy, "db-1", 42}
	if got := parseHolder(h.String() + "\n"); got != h {
		t.Errorf("%+v", got)
	}
	for _, text := range []string{"", "psql", "dragoman serve", "a b:c"} {
		if got := parseHolder(text); got.PID != 0 {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

// The database is locked for one process; a lost connection is replaced, and another process that was faster is noticed.
func TestDatabase(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t)
	connect := func(ctx context.Context, application string) (*pgconn.PgConn, error) {
		config, err := pgconn.ParseConfig(url)
		if err != nil {
			return nil, err
		}
		config.RuntimeParams["application_name"] = application
		return pgconn.ConnectConfig(ctx, config)
	}
	take := func(role Role) (*Database, error) { return LockDatabase(t.Context(), "the database x", role, connect) }
	first, err := take(Serve)
	if err != nil {
		t.Fatal(err)
	}
	var held *HeldError
	if _, err := take(Component); !errors.As(err, &held) || held.Holder.Role != Serve || held.Holder.PID != os.Getpid() {
		t.Errorf("%v", err)
	}
	if beside, err := take(Account); err != nil || beside.Close() != nil || beside.Lost() != nil {
		t.Errorf("beside a server: %v", err)
	}
	terminate := func() string {
		conn, err := connect(t.Context(), "test")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(context.Background()) }()
		rows, err := query(t.Context(), conn, holderSQL)
		if err != nil || len(rows) != 1 {
			t.Fatalf("%v %v", rows, err)
		}
		if _, err := query(t.Context(), conn, `SELECT pg_terminate_backend(`+rows[0][1]+`)`); err != nil {
			t.Fatal(err)
		}
		return rows[0][1]
	}
	holder := func() (pid string) {
		conn, err := connect(t.Context(), "test")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(context.Background()) }()
		if rows, err := query(t.Context(), conn, holderSQL); err == nil && len(rows) == 1 {
			pid = rows[0][1]
		}
		return pid
	}
	ended := terminate()
	for limit := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if pid := holder(); pid != "" && pid != ended {
			break
		}
		if time.Now().After(limit) {
			t.Fatal("the lock was not taken again")
		}
	}
	select {
	case err := <-first.Lost():
		t.Errorf("after it was taken again: %v", err)
	default:
	}
	// Another process is faster: simulated by one that waits for the lock at the database.
	waiting, err := connect(t.Context(), Holder{Serve, "other", 7}.String()+" abcdefgh")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() {
		_, err := query(t.Context(), waiting, strings.Replace(tryLockSQL, "pg_try_advisory_lock", "pg_advisory_lock", 1))
		got <- err
	}()
	for limit := time.Now().Add(20 * time.Second); time.Now().Before(limit); time.Sleep(10 * time.Millisecond) {
		conn, err := connect(t.Context(), "test")
		if err != nil {
			t.Fatal(err)
		}
		rows, err := query(t.Context(), conn, `SELECT 1 FROM pg_stat_activity WHERE application_name LIKE '%abcdefgh' AND wait_event_type = 'Lock'`)
		_ = conn.Close(t.Context())
		if err == nil && len(rows) == 1 {
			break
		}
	}
	terminate()
	select {
	case err := <-first.Lost():
		if !errors.As(err, &held) || held.Holder.Host != "other" || held.Holder.PID != 7 {
			t.Errorf("%v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("another process was not noticed")
	}
	if err := errors.Join(<-got, waiting.Close(t.Context()), first.Close()); err != nil {
		t.Error(err)
	}
}
