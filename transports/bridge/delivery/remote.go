package delivery

import (
	"context"

	"github.com/dragoman-im/dragoman/core/store/pipeline"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// remote are notes in a PostgreSQL database: nothing of them is on this machine.
type remote struct {
	marks *tables.Marks
	count int // since the last sync was due
}

// start implements notes: the table has been cleared.
func (r *remote) start(context.Context) error { return nil }

// add implements notes.
func (r *remote) add(seq int64, archived bool) error {
	r.count++
	return r.marks.Add(seq, archived)
}

// due reports whether Sync is to be called.
func (r *remote) due() bool {
	if r.count < pipeline.SyncEvery {
		return false
	}
	r.count = 0
	return true
}

// rotate implements notes: MarkDelivered removes the marks of single events.
func (r *remote) rotate() error { return nil }

// forgetOld implements notes.
func (r *remote) forgetOld() error { return nil }

// close implements notes.
func (r *remote) close() error { return r.marks.Close() }
