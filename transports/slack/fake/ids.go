package fake

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// minter makes ids: counted, so that a run reads the same twice, and shaped as Slack's.
type minter struct{ n uint64 }

const idAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// next is an id as T02AB3CD4E9. The count is spread so that neighbours do not look alike.
func (m *minter) next(prefix string) string {
	m.n++
	x := m.n*0x9E3779B97F4A7C15 ^ 0x5DEECE66D
	b := []byte("0000000000")
	for i := range b {
		b[i] = idAlphabet[x%36]
		x /= 36
	}
	// The count itself is the tail: never the same id twice.
	tail := strings.ToUpper(strconv.FormatUint(m.n, 36))
	return prefix + "0" + string(b[:4]) + strings.Repeat("0", max(0, 5-len(tail))) + tail
}

// secret is n random bytes in hex: for tokens, tickets and envelope ids.
func secret(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// uuid is a random UUID, as Slack's envelope_id and client_msg_id.
func uuid() string {
	h := secret(16)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
}

// stamp is a time as Slack writes it: seconds and six digits. It is the id of a message
// within its channel, and nowhere else.
type stamp struct {
	sec int64
	mic int64
}

func (t stamp) String() string { return fmt.Sprintf("%d.%06d", t.sec, t.mic) }

func (t stamp) less(u stamp) bool {
	return t.sec < u.sec || t.sec == u.sec && t.mic < u.mic
}

// parseStamp reads a ts; the fraction may be short or absent, as Slack allows in oldest and latest.
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
	mic, err := strconv.ParseInt(frac, 10, 64)
	if err != nil || mic < 0 {
		return stamp{}, false
	}
	return stamp{sec, mic}, true
}

// mint is the next ts of a channel. It counts from .000100 in every second, so messages of
// two channels often have the same ts: as in Slack, a ts alone names no message.
func (c *Channel) mint() stamp {
	t := stamp{c.server.opt.Now().Unix(), 100}
	if !c.last.less(t) {
		t = stamp{c.last.sec, c.last.mic + 100}
		if t.mic >= 1000000 {
			t = stamp{c.last.sec + 1, 100}
		}
	}
	c.last = t
	return t
}
