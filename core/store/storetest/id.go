package storetest

import (
	"crypto/rand"
	"encoding/binary"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
)

// IDAt makes an id of a moment, as stanza.NewID makes those of now.
func IDAt(t time.Time) (id archive.ID) {
	binary.BigEndian.PutUint64(id[:], uint64(t.UnixMilli())<<16|0x7000|uint64(t.Nanosecond()%int(time.Millisecond)>>8))
	_, _ = rand.Read(id[8:]) // never fails
	id[8] = id[8]&0x3f | 0x80
	return id
}
