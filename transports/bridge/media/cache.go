package media

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/blob"
)

const (
	// partSuffix ends the names of files that are being received.
	partSuffix = ".part"
	// maxFiles is how many files are kept.
	maxFiles = 50_000
	// noteUse is the age from which the time of the last use is written down again.
	noteUse = time.Hour
)

// Limits are those of a cache.
type Limits struct {
	Bytes   int64         // of all files together
	Reserve int64         // bytes of the disk that are left free
	Keep    time.Duration // for how long a file is kept that nobody asks for; 0: any time
}

// Cache keeps files in a directory, as long as there is room for them.
type Cache struct {
	dir    *os.Root
	limits Limits
	now    func() time.Time

	mu    sync.Mutex
	files map[string]*file
	bytes int64 // of all files, received or not
}

// OpenCache makes the directory if it does not exist, and finds what an earlier process has left in it.
func OpenCache(dir string, l Limits, now func() time.Time) (*Cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of media: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the directory of media: %w", err)
	}
	c := &Cache{dir: root, limits: l, now: now, files: map[string]*file{}}
	if err := c.read(); err != nil {
		return nil, errors.Join(fmt.Errorf("read the directory of media: %w", err), root.Close())
	}
	return c, nil
}

// Close closes the directory. No file may be in use.
func (c *Cache) Close() error { return c.dir.Close() }

func (c *Cache) read() error {
	list, err := fs.ReadDir(c.dir.FS(), ".")
	if err != nil {
		return err
	}
	for _, entry := range list {
		name := entry.Name()
		if strings.HasSuffix(name, partSuffix) {
			if err := c.dir.Remove(name); err != nil {
				return err
			}
			continue
		}
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() || blob.CheckID(name) != nil {
			continue // not ours
		}
		f := newFile(name)
		f.used, f.size, f.received, f.ready, f.done = info.ModTime(), info.Size(), info.Size(), true, true
		c.files[name], c.bytes = f, c.bytes+f.size
	}
	_, err = c.evict(0)
	return err
}

// open returns a file, and whether the caller has to fill it since it is new. The caller calls release.
func (c *Cache) open(id string) (f *file, fill bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f = c.files[id]
	if f == nil {
		f, fill = newFile(id), true
		c.files[id] = f
	}
	now := c.now()
	note := f.done && now.Sub(f.used) > noteUse
	f.used = now
	f.readers++
	if note {
		_ = c.dir.Chtimes(id, now, now) // after a restart it counts as unused for longer
	}
	return f, fill
}

// release ends the use of a file. What nobody waits for any longer is not received to its end.
func (c *Cache) release(f *file) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.readers--; f.readers == 0 && f.cancel != nil {
		f.abandoned = true
		f.cancel()
	}
}

// receiving notes how a file that is being received is ended; false where nobody wants it any longer.
func (c *Cache) receiving(f *file, cancel context.CancelFunc) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.cancel, f.abandoned = cancel, f.readers == 0
	return !f.abandoned
}

// wasAbandoned reports whether a file was not received because nobody waited for it.
func (c *Cache) wasAbandoned(f *file) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return f.abandoned
}

// reserve makes room for a file, and returns a *blob.Full where there is none.
func (c *Cache) reserve(f *file, size int64) error {
	free, err := blob.Free(c.dir)
	if err != nil {
		return fmt.Errorf("measure free space: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if gone, err := c.evict(size); err != nil {
		return err
	} else if free >= 0 {
		free += gone
	}
	switch {
	case c.bytes+size > c.limits.Bytes || len(c.files) > maxFiles:
		return &blob.Full{Cause: fmt.Errorf("%d bytes of media are in use, and no more than %d are kept", c.bytes, c.limits.Bytes)}
	case free >= 0 && size > free-c.limits.Reserve:
		return &blob.Full{Cause: fmt.Errorf("%d bytes are free, of which %d are kept free", free, c.limits.Reserve)}
	}
	f.size = size
	c.bytes += size
	return nil
}

// evict removes files that are not in use, those first that were not used for longest, until there is room for so many bytes more. The
// caller holds the lock.
func (c *Cache) evict(size int64) (gone int64, err error) {
	if c.bytes+size <= c.limits.Bytes && len(c.files) <= maxFiles {
		return 0, nil
	}
	var unused []*file
	for _, f := range c.files {
		if f.readers == 0 && f.done {
			unused = append(unused, f)
		}
	}
	slices.SortFunc(unused, func(a, b *file) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.id, b.id)) })
	for _, f := range unused {
		if c.bytes+size <= c.limits.Bytes && len(c.files) <= maxFiles {
			break
		}
		if err := c.remove(f); err != nil {
			return gone, err
		}
		gone += f.size
	}
	return gone, nil
}

// remove removes a file. The caller holds the lock.
func (c *Cache) remove(f *file) error {
	if err := c.dir.Remove(f.id); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove a file: %w", err)
	}
	delete(c.files, f.id)
	c.bytes -= f.size
	return nil
}

// ended notes that a file was received as a whole, or else with which error.
func (c *Cache) ended(f *file, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.cancel = nil
	if err == nil {
		err = c.dir.Rename(f.id+partSuffix, f.id)
	}
	if err != nil {
		_ = c.dir.Remove(f.id + partSuffix) // or at the next start
		delete(c.files, f.id)
		c.bytes -= f.size
	}
	f.end(err)
}

// drop removes a file whose message is gone, unless it is in use.
func (c *Cache) drop(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.files[id]; f != nil && f.done && f.readers == 0 {
		_ = c.remove(f) // or when it is unused for long enough
	}
}

// expire removes what was not used for too long, and returns the ids of the rest.
func (c *Cache) expire() (left []string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, f := range c.files {
		switch {
		case !f.done || f.readers > 0:
		case c.limits.Keep > 0 && c.now().Sub(f.used) > c.limits.Keep:
			if err := c.remove(f); err != nil {
				return nil, err
			}
		default:
			left = append(left, id)
		}
	}
	return left, nil
}
