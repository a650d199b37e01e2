package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/dragoman-im/dragoman/core/store/storetest" // the SQL driver
)

// ejabberd keeps archives in a SQLite database where they are filled: each message in its Mnesia table costs more the more an account has there.
const (
	sqlArchive      = "\nsql_type: sqlite\nsql_database: %q\n"
	mnesiaModule    = "  mod_mam:\n"
	sqlModule       = mnesiaModule + "    db_type: sql\n"
	ejabberdSchema  = "/usr/share/ejabberd/sql/lite.sql"
	ejabberdSQLite  = "/usr/lib/erlang/lib/p1_sqlite3-*"
	ejabberdArchive = `INSERT INTO archive (username, timestamp, peer, bare_peer, xml, txt, kind) VALUES (?, ?, ?, ?, ?, ?, 'chat')`
)

// insertArchive writes the messages to the database that ejabberd has its archives in from now on. The server is stopped.
func insertArchive(ctx context.Context, b *bench, s *server) (err error) {
	if found, _ := filepath.Glob(ejabberdSQLite); len(found) == 0 {
		return errors.New("the package erlang-p1-sqlite3 is not installed")
	}
	schema, err := os.ReadFile(ejabberdSchema)
	if err != nil {
		return err
	}
	path := filepath.Join(s.dir, "archive.db")
	config, err := os.ReadFile(filepath.Join(s.dir, "ejabberd.yml"))
	if err != nil {
		return err
	}
	if _, err := s.write("ejabberd.yml", strings.Replace(string(config), mnesiaModule, sqlModule, 1)+fmt.Sprintf(sqlArchive, path)); err != nil {
		return err
	}
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_synchronous=OFF")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, string(schema)); err != nil {
		return fmt.Errorf("schema of ejabberd: %w", err)
	}
	write := exec.CommandContext(ctx, b.xmppbench, "messages", "--user", archiveUser, "--messages", number(b.messages), "--target", s.name+"="+s.addr()+","+domain)
	lines, err := write.StdoutPipe()
	if err != nil {
		return err
	}
	if err := write.Start(); err != nil {
		return err
	}
	failed := insertMessages(ctx, db, lines)
	lines.Close() // the writer ends too where the reader has failed
	return errors.Join(failed, write.Wait())
}

// insertMessages inserts lines of JSON as 'xmppbench messages' writes them.
func insertMessages(ctx context.Context, db *sql.DB, lines io.Reader) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, ejabberdArchive)
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	in := bufio.NewScanner(lines)
	for in.Scan() && err == nil {
		err = insertMessage(ctx, insert, in.Bytes())
	}
	if err = errors.Join(err, in.Err()); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func insertMessage(ctx context.Context, insert *sql.Stmt, line []byte) error {
	var m struct {
		Account, Kind, XML string
		Message            struct{ At time.Time }
	}
	if err := json.Unmarshal(line, &m); err != nil || m.Kind != "archived" {
		return err
	}
	user, _, _ := strings.Cut(m.Account, "@")
	peer := between(m.XML, "from='", "'")
	if strings.HasPrefix(peer, m.Account+"/") {
		peer = between(m.XML, "to='", "'")
	}
	bare, _, _ := strings.Cut(peer, "/")
	_, err := insert.ExecContext(ctx, user, m.Message.At.UnixMicro(), peer, bare, m.XML, between(m.XML, "<body>", "</body>"))
	return err
}

// between returns the text between two others, "" if it is not there.
func between(text, from, to string) string {
	_, rest, _ := strings.Cut(text, from)
	inner, _, _ := strings.Cut(rest, to)
	return inner
}
