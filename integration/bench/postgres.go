package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// postgres is the dragoman of this tree on PostgreSQL. Its CPU includes that of all processes of
// PostgreSQL, which syncs to the disk here.
var postgres = &kind{
	name: "postgres", title: "Dragoman on PostgreSQL", configure: configurePostgres, populate: importAccounts,
	mechanisms: dragoman.mechanisms, indexes: true, imports: true, fill: importArchive, room: dragoman.room, native: nativeRoom,
}

// postgresScript starts and stops a PostgreSQL server in a directory of its own.
const postgresScript = ".ci/postgres"

func configurePostgres(b *bench, s *server) error {
	parent, err := os.MkdirTemp("", "dragoman-bench-postgres-")
	if err != nil {
		return err
	}
	if err := os.Chmod(parent, 0o755); err != nil { // PostgreSQL runs as a user of its own
		return err
	}
	dir := filepath.Join(parent, "pg")
	b.cleanups = append(b.cleanups, func() error {
		return exec.Command(postgresScript, "stop", dir).Run()
	}, func() error { return os.RemoveAll(parent) })
	start := exec.CommandContext(context.Background(), postgresScript, "start", dir)
	start.Env = append(os.Environ(), "SYNC=on")
	url, err := start.Output()
	if err != nil {
		return fmt.Errorf("%s, which has to be run in the top folder of the repository: %w", postgresScript, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		return err
	}
	if s.database, err = strconv.Atoi(firstLine(text)); err != nil {
		return fmt.Errorf("read postmaster.pid: %w", err)
	}
	return b.configureDragomanBinary(s, b.dragoman, fmt.Sprintf("[store]\nurl = %q\n", strings.TrimSpace(string(url))))
}
