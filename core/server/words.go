package server

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/store/indexing"
)

// indexWordsEvery is how often archived messages are indexed for the full-text search. The first time is as long after the start.
const indexWordsEvery = 10 * time.Second

// indexWords indexes the words of archived messages (XEP-0431).
func (s *Server) indexWords(ctx context.Context) error {
	indexer := indexing.New(s.store, s.log)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(indexWordsEvery):
		}
		if err := indexer.Run(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("archived messages not indexed: a search reads fewer of them at once", "err", err)
		}
		s.trimWords(ctx)
	}
}
