package moderation

import (
	"log/slog"

	"github.com/dragoman-im/dragoman/core/features/abuse"
	"github.com/dragoman-im/dragoman/core/features/blocking"
	"github.com/dragoman-im/dragoman/core/store"
)

// Tables are the tables of a server. Its methods may be called from any goroutine.
type Tables struct {
	store *store.Store
	log   *slog.Logger
}

// New returns the tables in a database.
func New(s *store.Store, log *slog.Logger) *Tables { return &Tables{s, log} }

var (
	_ blocking.Store    = (*Tables)(nil)
	_ abuse.ReportStore = (*Tables)(nil)
	_ abuse.PolicyStore = (*Tables)(nil)
)
