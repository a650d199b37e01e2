package outbox

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
)

// source gives a byte every pause.
type source struct {
	ctx   context.Context
	pause time.Duration
	left  int
}

func (s *source) Read(b []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	select {
	case <-time.After(s.pause):
		s.left--
		b[0] = 'x'
		return 1, nil
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	}
}

func (s *source) Close() error { return nil }

// A file that comes slowly is sent; one of which nothing comes any longer ends the call, as one that cannot be read; one that the network
// does not take ends it too, with the outcome unknown.
func TestStalls(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		source, taken time.Duration // between two bytes
		ended, failed bool
	}{
		{"slow", stallTime - time.Second, 0, false, false},
		{"the source stalls", stallTime + time.Second, 0, true, true},
		{"the network stalls", 0, stallTime + time.Second, true, false},
		{"both are slow", stallTime - time.Second, stallTime - time.Second, false, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			r, ctx := newReads(t.Context())
			defer r.end()
			file := &reading{ctx: ctx, content: &source{ctx, c.source, 5}, left: 5, all: r}
			var err error
			for n := 0; err == nil && ctx.Err() == nil; n++ {
				if _, err = file.Read(make([]byte, 10)); n < 4 {
					time.Sleep(c.taken)
				}
			}
			time.Sleep(2 * stallTime) // the answer of the network
			if ended := ctx.Err() != nil; ended != c.ended || r.failed.Load() != c.failed {
				t.Errorf("%s: ended %v, not readable %v (%v, %v)", c.name, ended, r.failed.Load(), err, context.Cause(ctx))
			}
			if c.ended && !errors.Is(context.Cause(ctx), errStalled) {
				t.Errorf("%s: ended by %v", c.name, context.Cause(ctx))
			}
		})
	}
}

// A call waits for its files for a limited time altogether, however steadily somebody lets their bytes come: what is behind it in the
// conversation waits as long. What the network takes its time for does not count, and neither does a file that comes fast enough.
func TestTrickle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, ctx := newReads(t.Context())
		defer r.end()
		began := time.Now()
		var err error
		for n := 0; err == nil && n < 10; n++ {
			file := &reading{ctx: ctx, content: &source{ctx, 10 * time.Second, 100}, left: 100, all: r}
			_, err = io.Copy(io.Discard, file)
			time.Sleep(10 * time.Second)
		}
		if waited := time.Since(began); err == nil || !r.failed.Load() || ctx.Err() == nil || waited > sourceTime+time.Minute {
			t.Errorf("after %v: %v, not readable %v", waited, err, r.failed.Load())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r, ctx := newReads(t.Context())
		defer r.end()
		r.spend(time.Now().Add(-sourceTime))
		r.bytes.Add(100 * sourceRate)
		file := &reading{ctx: ctx, content: &source{ctx, 10 * time.Second, 9}, left: 9, all: r}
		if _, err := io.ReadAll(file); err != nil || r.failed.Load() {
			t.Errorf("a large file: %v, not readable %v", err, r.failed.Load())
		}
	})
}

// forever is a server that never answers.
type forever struct{ asked int }

func (f *forever) Stat(ctx context.Context, _ string) (int64, string, error) {
	f.asked++
	<-ctx.Done()
	return 0, "", ctx.Err()
}

func (f *forever) Open(ctx context.Context, _ string) (io.ReadCloser, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// Many files of servers that do not answer cost no more time than one whose bytes trickle.
func TestFilesUnanswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, ctx := newReads(t.Context())
		defer r.end()
		o, began := &Outbox{files: &forever{}, env: &gateway.Env{}, logins: &logins.Registry{}}, time.Now()
		o.env.Info.Caps.Files.Size = 1 << 20
		for range 10 {
			if _, err := (&call{outbox: o}).file(ctx, convert.SentFile{URL: "https://slow.test/f"}, r); err == nil {
				t.Fatal("there is a file")
			}
		}
		if waited := time.Since(began); waited > sourceTime {
			t.Errorf("waited %v", waited)
		}
	})
}

// A file that is shorter or longer than before is one that cannot be read, unless the network has ended the request.
func TestReadSizes(t *testing.T) {
	t.Parallel()
	for size, ok := range map[int64]bool{7: true, 6: false, 8: false} {
		r, ctx := newReads(t.Context())
		file := &reading{ctx: ctx, content: io.NopCloser(strings.NewReader("content")), left: size, all: r}
		_, err := io.ReadAll(file)
		if (err == nil) != ok || r.failed.Load() == ok {
			t.Errorf("of %d bytes: %v, not readable %v", size, err, r.failed.Load())
		}
		r.end()
	}
	r, ctx := newReads(t.Context())
	file := &reading{ctx: ctx, content: io.NopCloser(&source{ctx, time.Hour, 1}), left: 1, all: r}
	r.end()
	if _, err := io.ReadAll(file); err == nil || r.failed.Load() {
		t.Errorf("a request that has ended: %v, not readable %v", err, r.failed.Load())
	}
}
