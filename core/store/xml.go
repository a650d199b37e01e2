package store

import (
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// encodeStanza is a stanza as it is stored: self-contained XML in jabber:client.
func encodeStanza(st *stanza.Stanza) string {
	b := make([]byte, 0, len(st.Payload)+len(st.Extra)+400)
	return string(st.AppendXML(b, stanza.NSClient))
}

// now is the time as it is stored: microseconds since 1970.
func now() int64 { return time.Now().UnixMicro() }

// timeOf is the reverse of now.
func timeOf(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
