package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/blob"
)

const (
	bufferSize = 64 << 10
	// stallTime is how long a network may send nothing of a file.
	stallTime = time.Minute
)

// file is a file of a cache that was received or is being received. The fields above mu belong to Cache.mu.
type file struct {
	id      string
	used    time.Time
	readers int
	cancel  context.CancelFunc // of what is being received
	// abandoned is set where nobody waited for it any longer.
	abandoned bool

	mu       sync.Mutex
	size     int64
	received int64
	ready    bool // size is known, and there is a file to read from
	done     bool
	err      error
	changed  chan struct{} // closed at the next change
}

func newFile(id string) *file { return &file{id: id, changed: make(chan struct{})} }

// update changes the state and wakes those who wait for it.
func (f *file) update(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *file) end(err error) { f.update(func() { f.done, f.err = true, err }) }

// wait waits until a condition holds, or the file has ended.
func (f *file) wait(ctx context.Context, met func() bool) error {
	for {
		f.mu.Lock()
		ok, done, err, changed := met(), f.done, f.err, f.changed
		f.mu.Unlock()
		if ok || done {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// receive writes what comes from a network into a file of the cache. It has exactly size bytes.
func (c *Cache) receive(ctx context.Context, f *file, size int64, content io.Reader) error {
	out, err := c.dir.OpenFile(f.id+partSuffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("create a file: %w", err)
	}
	f.update(func() { f.ready = true })
	err = c.copy(ctx, f, out, blob.Reader(content, size))
	return errors.Join(err, out.Close())
}

func (c *Cache) copy(ctx context.Context, f *file, out io.Writer, content io.Reader) error {
	buffer := make([]byte, bufferSize)
	for {
		n, err := content.Read(buffer)
		if n > 0 {
			if _, err := out.Write(buffer[:n]); err != nil {
				return fmt.Errorf("write a file: %w", err)
			}
			f.update(func() { f.received += int64(n) })
		}
		if errors.Is(err, io.EOF) {
			return ctx.Err()
		}
		if err != nil {
			return errors.Join(err, ctx.Err())
		}
	}
}

// reader reads a file, also while it is being received.
type reader struct {
	ctx  context.Context // of the one request
	file *file
	from *os.File
	size int64
	at   int64
}

// reader waits until a file can be read.
func (c *Cache) reader(ctx context.Context, f *file) (*reader, error) {
	if err := f.wait(ctx, func() bool { return f.ready }); err != nil {
		return nil, err
	}
	from, err := c.dir.Open(f.id + partSuffix)
	if errors.Is(err, os.ErrNotExist) {
		from, err = c.dir.Open(f.id) // it has been received by now
	}
	if err != nil {
		return nil, fmt.Errorf("open a file: %w", err)
	}
	return &reader{ctx: ctx, file: f, from: from, size: f.length()}, nil
}

func (f *file) length() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.size
}

// Read implements io.Reader.
func (r *reader) Read(b []byte) (int, error) {
	if r.at >= r.size {
		return 0, io.EOF
	}
	have := int64(0)
	if err := r.file.wait(r.ctx, func() bool { have = r.file.received; return have > r.at }); err != nil {
		return 0, err
	}
	n, err := r.from.ReadAt(b[:min(int64(len(b)), have-r.at)], r.at)
	r.at += int64(n)
	if n > 0 {
		return n, nil
	}
	return n, err
}

// Seek implements io.Seeker.
func (r *reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the beginning")
	}
	r.at = offset
	return offset, nil
}

// Close implements io.Closer.
func (r *reader) Close() error { return r.from.Close() }
