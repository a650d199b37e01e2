package tables_test

import (
	"context"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// A look-up needs one connection of the readers at a time: as many look-ups as there are connections would otherwise wait for each other.
func TestLookupsNeedOneReader(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Options{URL: storetest.URL(t), Readers: 1})
	check(t, err)
	t.Cleanup(func() { check(t, s.Close()) })
	database, err := tables.Open(t.Context(), s)
	check(t, err)
	g, err := database.Gateway(t.Context(), domain)
	check(t, err)
	for name, look := range map[string]func(context.Context) (tables.LinkMessage, bool, error){
		"by entry": func(ctx context.Context) (tables.LinkMessage, bool, error) { return g.LinkedEntry(ctx, 1, "id") },
		"by id there": func(ctx context.Context) (tables.LinkMessage, bool, error) {
			return g.LinkedThere(ctx, 1, "id", "author")
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // without which it would never end
		if _, ok, err := look(ctx); ok || err != nil {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
		cancel()
	}
}
