package accounts

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/database"
	"github.com/dragoman-im/dragoman/core/portable"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/exclusive"
)

// Import imports accounts with all that belongs to them. While it is open no server uses the database.
type Import struct {
	*portable.Importer
	store *store.Store
	hold  *exclusive.Hold
}

// ImportReport counts what was imported.
type ImportReport = portable.Report

// OpenImport opens the database of a configuration for an import. With merge accounts that exist get what they lack. Call
// NodeLimits returns the limits of the nodes of an account.
func NodeLimits(config config.Config) pubsub.Limits {
	c := config.Pubsub
	return pubsub.Limits{Nodes: c.Nodes, Items: c.Items, Bytes: int64(c.Bytes), Payload: int(c.Payload), Subscriptions: c.Subscriptions}
}

// Close after use.
func OpenImport(ctx context.Context, c config.Config, merge bool) (*Import, error) {
	s, hold, err := database.Open(ctx, c, exclusive.Import, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	im := portable.NewImporter(s, portable.ImportOptions{
		Hosts: c.Server.Hosts, Iterations: c.Login.Iterations, Merge: merge, Message: int(c.Limits.StanzaBytes), VCard: int(c.Limits.VCardBytes), Nodes: NodeLimits(c),
	})
	return &Import{im, s, hold}, nil
}

// Close closes the database.
func (i *Import) Close() error { return errors.Join(i.store.Close(), i.hold.Close()) }

// Contents is what a file for an import holds.
type Contents int

// The contents. Text is everything that is neither of the others.
const (
	Text Contents = iota
	XMLDocument
	JSONLines
)

// ContentsOf tells what a file holds by its first character.
func ContentsOf(in *bufio.Reader) Contents {
	for n := 1; n <= 64; n++ {
		head, err := in.Peek(n)
		if err != nil {
			return Text
		}
		switch head[n-1] {
		case ' ', '\t', '\r', '\n', 0xef, 0xbb, 0xbf: // also a byte order mark
		case '<':
			return XMLDocument
		case '{':
			return JSONLines
		default:
			return Text
		}
	}
	return Text
}

// Stream imports from a stream.
func (i *Import) Stream(ctx context.Context, in *bufio.Reader) error {
	if ContentsOf(in) == JSONLines {
		return i.Import(ctx, portable.ReadJSON(in))
	}
	return i.Import(ctx, portable.ReadXML(streamFS{in}, streamName))
}

// Path imports a file, or the files of a directory.
func (i *Import) Path(ctx context.Context, name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		root, err := os.OpenRoot(filepath.Dir(name))
		if err != nil {
			return err
		}
		defer root.Close()
		return i.file(ctx, root, filepath.Base(name))
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return err
	}
	defer root.Close()
	files, err := fs.Glob(root.FS(), "*.xml")
	if err != nil {
		return err
	}
	found := false
	for _, file := range files {
		switch err := i.file(ctx, root, file); {
		case errors.Is(err, portable.ErrNotXML): // it is included by another one
		case err != nil:
			return err
		default:
			found = true
		}
	}
	if !found {
		return fmt.Errorf("%s: no file of XEP-0227 (*.xml with the element server-data) is in this directory", name)
	}
	return nil
}

func (i *Import) file(ctx context.Context, root *os.Root, name string) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewReader(f)
	switch ContentsOf(in) {
	case JSONLines:
		return i.Import(ctx, portable.ReadJSON(in))
	case XMLDocument:
		return i.Import(ctx, portable.ReadXML(root.FS(), name))
	}
	return fmt.Errorf("%s: lines of text are imported from one file alone", name)
}

// streamName is the one file of a streamFS.
const streamName = "input"

// streamFS is a file system with a stream as its one file.
type streamFS struct{ in io.Reader }

// Open implements fs.FS.
func (s streamFS) Open(name string) (fs.File, error) {
	if name != streamName {
		return nil, &fs.PathError{Op: "include", Path: name, Err: errors.New("standard input cannot include files: name the first file instead")}
	}
	return streamFile{s.in}, nil
}

type streamFile struct{ io.Reader }

func (streamFile) Stat() (fs.FileInfo, error) { return nil, fs.ErrInvalid }
func (streamFile) Close() error               { return nil }
