package server

import (
	"github.com/dragoman-im/dragoman/core/features/offline"
	"github.com/dragoman-im/dragoman/core/router"
)

// stages are what stanzas of and for the accounts pass, in this order.
func stages(kept *offline.Offline) []router.Stage {
	return []router.Stage{
		kept.Stage(), // messages that nobody was there for wait in the store
	}
}
