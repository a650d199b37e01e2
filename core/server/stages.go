package server

import (
	"github.com/dragoman-im/dragoman/core/features/blocking"
	"github.com/dragoman-im/dragoman/core/features/carbons"
	"github.com/dragoman-im/dragoman/core/features/mam"
	"github.com/dragoman-im/dragoman/core/features/offline"
	"github.com/dragoman-im/dragoman/core/router"
)

// stages are what stanzas of and for the accounts pass, in this order.
func stages(blocked *blocking.Blocking, kept *offline.Offline, archive *mam.Archive) []router.Stage {
	return []router.Stage{
		blocked.Stage(), // nothing from or to whom the account has blocked
		kept.Stage(),    // takes forged delay stamps off; messages that nobody was there for wait in the store
		archive.Stage(), // one-to-one messages get their archive id and are written down
		carbons.Stage(), // copies for the account's other sessions
		kept.Turn(),     // what comes while a session is given what was kept comes after it
	}
}
