package transfer_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/core/store/transfer"
)

// TestCopyMany copies an archive of as many messages as DRAGOMAN_TEST_COPY says, or a small one, from SQLite to PostgreSQL and back,
// and logs how long that takes.
func TestCopyMany(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("DRAGOMAN_TEST_COPY"))
	if n == 0 {
		n = 1000
	}
	from := open(t, storetest.SQLite(t))
	accounts := make([]jid.JID, 100)
	for i := range accounts {
		accounts[i] = jid.MustParse(fmt.Sprintf("user%d@example.org", i))
		check(t, from.CreateAccount(t.Context(), accounts[i], sasl.Credentials{}))
	}
	free := make(chan struct{}, 2000)
	for i := range n {
		a, b := accounts[i%len(accounts)], accounts[(i*7+1)%len(accounts)]
		st := stanza.NewMessage(b, a, stanza.TypeChat, stanza.TextElement("", "body", strings.Repeat("x", 64)))
		id := stanza.NewID()
		for _, who := range []jid.JID{a, b} {
			free <- struct{}{}
			from.Archive(who, archive.Entry{ID: id, At: time.Now(), Stanza: st}, func(err error) {
				if err != nil {
					t.Error(err)
				}
				<-free
			})
		}
	}
	for range cap(free) {
		free <- struct{}{}
	}
	for _, url := range []string{storetest.Postgres(t), storetest.SQLite(t)} {
		to := open(t, url)
		begun, compared := time.Now(), time.Time{}
		check(t, transfer.Copy(t.Context(), from, to, func(p transfer.Progress) {
			if p.Comparing && compared.IsZero() {
				compared = time.Now()
			}
		}))
		t.Logf("%d messages, %d entries to %s: copied in %v, compared in %v", number(t, to, `SELECT count(*) FROM archive_messages`),
			number(t, to, `SELECT count(*) FROM archive_entries`), to.Dialect(), compared.Sub(begun).Round(time.Second/10), time.Since(compared).Round(time.Second/10))
		from = to
	}
}
