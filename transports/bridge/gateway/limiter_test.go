package gateway

import (
	"fmt"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Users that a server makes up do not use up what users of other servers may send.
func TestManyUsersOfOneDomain(t *testing.T) {
	t.Parallel()
	now := time.Now()
	l := NewLimiter(1, func() time.Time { return now })
	refused := 0
	for i := range maxLimits + 100 {
		if !l.Allow(jid.MustParse(fmt.Sprintf("x%d@evil.test", i))) {
			refused++
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
	if !l.Allow(jid.MustParse("romeo@home.test")) {
		t.Error("a user of another server is refused")
	}
	for i := range 2 * maxLimits {
		l.Allow(jid.MustParse(fmt.Sprintf("x@d%d.test", i)))
	}
	if n := len(l.by); n > 2*maxLimits+1 {
		t.Errorf("%d limits", n)
	}
}
