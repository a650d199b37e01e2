package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// archiveUser begins the name of the account with an archive.
const archiveUser = "archive"

// ofArchive returns a measure of a query of an archive.
func ofArchive(what, query string) measure {
	return measure{what: what, unit: "request", cost: "cpu", format: "%.0f µs", run: func(ctx context.Context, b *bench, s *server) (figures, error) {
		if err := b.fillArchive(ctx, s); err != nil {
			return nil, err
		}
		args := []string{"archive", "--user", archiveUser, "--query", query, "--for", b.length.String()}
		if !s.kind.imports {
			args = append(args, "--local", domain)
		}
		return b.load(ctx, s, args...)
	}}
}

// ofSearch is ofArchive for servers that index messages by words.
func ofSearch(what, query string) measure {
	m := ofArchive(what, query)
	m.search = true
	return m
}

// fillArchive makes the account with its archive, once, and waits until the server has done with it what it does afterwards.
func (b *bench) fillArchive(ctx context.Context, s *server) error {
	if s.filled {
		return nil
	}
	s.stop()
	b.progress("%s: archiving %s messages", s.title, thousands(float64(b.messages)))
	if err := s.populate(ctx, b, archiveUser, 1); err != nil {
		return err
	}
	if err := s.fill(ctx, b, s); err != nil {
		return err
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	s.filled = true
	b.progress("%s: waiting until it is idle", s.title)
	args := []string{"archive", "--user", archiveUser, "--for", "1s", "--settle"}
	if s.kind.indexes {
		args = append(args, "--indexed")
	}
	_, err := b.load(ctx, s, args...)
	return err
}

// receiveArchive lets an account receive the messages from others on the same server.
func receiveArchive(ctx context.Context, b *bench, s *server) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	defer s.stop()
	_, err := b.load(ctx, s, "archive", "--user", archiveUser, "--fill", number(b.messages))
	return err
}

// importArchive writes the messages to the database of a dragoman.
func importArchive(ctx context.Context, b *bench, s *server) error {
	var problems strings.Builder
	write := exec.CommandContext(ctx, b.xmppbench, "messages", "--user", archiveUser, "--messages", number(b.messages), "--target", s.name+"="+s.addr()+","+domain)
	write.Stderr = &problems
	lines, err := write.StdoutPipe()
	if err != nil {
		return err
	}
	if err := write.Start(); err != nil {
		return err
	}
	read := exec.CommandContext(ctx, s.binary, "account", "import", "--merge", "-c", "dragoman.toml")
	read.Dir, read.Stdin = s.dir, lines
	out, err := read.CombinedOutput()
	lines.Close() // the writer ends too where the reader has failed
	if failed := write.Wait(); err == nil && failed != nil {
		err = fmt.Errorf("%w\n%s", failed, problems.String())
	}
	if err != nil {
		return fmt.Errorf("import an archive: %w\n%s", err, out)
	}
	return nil
}
