package fake

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// idSource generates ids in the format of Slack's, such as T02AB3CD4E9. They are derived from a counter, so
// that two runs of a test produce the same ids.
type idSource struct{ n uint64 }

const idAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// next returns the next id with a prefix, such as T for a team. The counter is hashed, so that consecutive ids
// do not look alike.
func (m *idSource) next(prefix string) string {
	m.n++
	x := m.n*0x9E3779B97F4A7C15 ^ 0x5DEECE66D
	b := []byte("0000000000")
	for i := range b {
		b[i] = idAlphabet[x%36]
		x /= 36
	}
	// The last characters are the counter itself: no id is returned twice.
	tail := strings.ToUpper(strconv.FormatUint(m.n, 36))
	return prefix + "0" + string(b[:4]) + strings.Repeat("0", max(0, 5-len(tail))) + tail
}

// secret returns n random bytes in hexadecimal, for tokens, tickets and envelope ids.
func secret(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// uuid returns a random UUID, the format of Slack's envelope_id and client_msg_id.
func uuid() string {
	h := secret(16)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
}

// stamp is a Slack timestamp (ts): seconds since 1970 and microseconds. It identifies a message
// within its channel only.
type stamp struct {
	sec   int64
	micro int64
}

func (t stamp) String() string { return fmt.Sprintf("%d.%06d", t.sec, t.micro) }

func (t stamp) less(u stamp) bool {
	return t.sec < u.sec || t.sec == u.sec && t.micro < u.micro
}

// parseStamp parses a ts. The fraction may have fewer than six digits or be missing: Slack allows that in the
// arguments oldest and latest.
func parseStamp(v string) (stamp, bool) {
	whole, frac, _ := strings.Cut(v, ".")
	sec, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || sec < 0 {
		return stamp{}, false
	}
	if len(frac) > 6 {
		frac = frac[:6]
	}
	for len(frac) < 6 {
		frac += "0"
	}
	micro, err := strconv.ParseInt(frac, 10, 64)
	if err != nil || micro < 0 {
		return stamp{}, false
	}
	return stamp{sec, micro}, true
}

// nextStamp returns the ts of the next message of a channel. The fraction starts at .000100 in every second, so
// messages of two channels often have the same ts: as in Slack, a ts without its channel identifies no message.
func (c *Channel) nextStamp() stamp {
	t := stamp{c.server.opt.Now().Unix(), 100}
	if !c.last.less(t) {
		t = stamp{c.last.sec, c.last.micro + 100}
		if t.micro >= 1000000 {
			t = stamp{c.last.sec + 1, 100}
		}
	}
	c.last = t
	return t
}
