package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/dragoman-im/dragoman/core/store/pipeline"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

const (
	pipelineKilledEnv = "DRAGOMAN_TEST_STORE_PIPELINE_KILLED"
	scratchPipeline   = `INSERT INTO scratch (n) VALUES (CAST(? AS BIGINT))`
)

// sendAndDie sends numbers through a pipeline and kills its process.
func sendAndDie(url string) {
	s, err := Open(context.Background(), Options{URL: url})
	if err == nil {
		p := s.NewPipeline("scratch", scratchPipeline, 1)
		err = p.Sync(context.Background())
		for i := 0; i < pipeline.SyncEvery && err == nil; i++ {
			err = p.Send(int64(i))
		}
	}
	if err == nil {
		err = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	fmt.Println(err)
	os.Exit(1)
}

// What was sent before a kill -9 is there for the next process that opens the pipeline.
func TestPipelineKilled(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t)
	s := open(t, Options{URL: url})
	scratch(t, s)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), pipelineKilledEnv+"="+url)
		out, err := cmd.CombinedOutput()
		if len(out) > 0 || err == nil {
			t.Fatalf("%s %v", out, err)
		}
		next := s.NewPipeline("scratch", scratchPipeline, 1)
		if err := next.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := next.Close(); err != nil {
			t.Fatal(err)
		}
		if got := numbers(t, s); len(got) != pipeline.SyncEvery {
			t.Errorf("%d of %d are there", len(got), pipeline.SyncEvery)
		}
		if _, err := s.writes.Exec(`DELETE FROM scratch`); err != nil {
			t.Fatal(err)
		}
	}
}

// After a statement that fails, or a lost connection, Sync connects again.
func TestPipelineReconnects(t *testing.T) {
	t.Parallel()
	s := open(t, Options{URL: storetest.Postgres(t)})
	scratch(t, s)
	p := s.NewPipeline("scratch", scratchPipeline, 1)
	if err := p.Send(0); !errors.Is(err, pipeline.ErrLost) {
		t.Errorf("sent without a connection: %v", err)
	}
	sync := func(want error) {
		t.Helper()
		if err := p.Sync(t.Context()); !errors.Is(err, want) {
			t.Fatalf("got %v, want %v", err, want)
		}
	}
	send := func(n int64) {
		t.Helper()
		if err := p.Send(n); err != nil {
			t.Fatal(err)
		}
	}
	sync(nil)
	send(1)
	sync(nil)
	send(1) // twice: the key is refused
	send(2)
	sync(pipeline.ErrLost)
	send(3)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	sync(nil)
	send(4)
	sync(nil)
	if got := numbers(t, s); !got[1] || got[2] || !got[3] || !got[4] || len(got) != 3 {
		t.Error(got)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkPipeline is what it costs to note a number.
func BenchmarkPipeline(b *testing.B) {
	s, err := Open(b.Context(), Options{URL: storetest.Postgres(b)})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	scratch(b, s)
	p := s.NewPipeline("scratch", scratchPipeline, 1)
	for i := range b.N {
		if i%pipeline.SyncEvery == 0 {
			if err := p.Sync(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		if err := p.Send(int64(i)); err != nil {
			b.Fatal(err)
		}
	}
	if err := p.Close(); err != nil {
		b.Fatal(err)
	}
}
