package server

import (
	"context"
	"errors"
	"time"

	"github.com/dragoman-im/dragoman/core/store/indexing"
)

// indexWordsEvery is how often archived messages are indexed for the full-text search. The first time is as long after the start.
const indexWordsEvery = 10 * time.Second

// indexWords indexes the words of archived messages, also of rooms (XEP-0431).
func (s *Server) indexWords(ctx context.Context) error {
	accounts := indexing.New(s.store, indexing.Accounts(s.store), s.log)
	inRooms, begun := indexing.New(s.store, s.roomTables.Words(), s.log), false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(indexWordsEvery):
		}
		var notYet error
		if !begun {
			notYet = s.roomTables.BeginWords(ctx)
			begun = notYet == nil
		}
		err := errors.Join(accounts.Run(ctx), notYet, inRooms.Run(ctx), s.roomTables.TrimWords(ctx))
		if err != nil && ctx.Err() == nil {
			s.log.Error("archived messages not indexed: a search reads fewer of them at once", "err", err)
		}
		s.trimWords(ctx)
	}
}
