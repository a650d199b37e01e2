package gateways

import (
	"context"

	"github.com/dragoman-im/dragoman/core/server"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/transports/bridge"
)

// keptBy is what a database has of the messages that a gateway sent before a crash. What somebody wrote with the
// network's own client is in the archive of its sender; sessions of before the crash are gone, and later ones read it
// there, so that it is not sent again.
func keptBy(s *store.Store) bridge.Kept {
	return bridge.Kept{
		Waits: func(ctx context.Context, st *stanza.Stanza) (bool, error) {
			if sent := server.SentElsewhere(st); sent != nil {
				return s.HasArchived(ctx, sent.From, sent.Entry)
			}
			return s.PrepareRedelivery(ctx, st)
		},
		Archive: func(ctx context.Context, st *stanza.Stanza) error {
			if sent := server.SentElsewhere(st); sent != nil {
				return s.ArchiveSentElsewhere(ctx, sent)
			}
			return s.ArchiveReceived(ctx, st)
		},
	}
}
