package bridge_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// countRoundTrips returns the URL of a proxy before a PostgreSQL database, and how often a client has waited for
// the server there. On SQLite it counts none.
func countRoundTrips(t testing.TB, database string) (string, *atomic.Int64) {
	t.Helper()
	trips := &atomic.Int64{}
	if !storetest.OnPostgres() {
		return database, trips
	}
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	const socket = ".s.PGSQL.5432"
	query := u.Query()
	server, dir := filepath.Join(query.Get("host"), socket), t.TempDir()
	query.Set("host", dir)
	u.RawQuery = query.Encode()
	l, err := net.Listen("unix", filepath.Join(dir, socket))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			upstream, err := net.Dial("unix", server)
			if err != nil {
				client.Close()
				continue
			}
			go func() {
				_, _ = io.Copy(client, upstream)
				client.Close()
			}()
			go func() {
				forward(client, upstream, trips)
				upstream.Close()
			}()
		}
	}()
	return u.String(), trips
}

// forward counts the messages after which a client waits: Query and Sync.
func forward(client io.Reader, server io.Writer, trips *atomic.Int64) {
	in := bufio.NewReaderSize(client, 1<<16)
	header := 4 // the first message has no type
	for {
		head, err := in.Peek(header)
		if err != nil {
			return
		}
		length := header - 4 + int(binary.BigEndian.Uint32(head[header-4:]))
		if header == 5 && (head[0] == 'Q' || head[0] == 'S') {
			trips.Add(1)
		}
		if _, err := io.CopyN(server, in, int64(length)); err != nil {
			return
		}
		header = 5
	}
}
