package main

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// publishCommand measures PEP (XEP-0163): what accounts publish goes to all their contacts.
func publishCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "publish", Short: "PEP fan-out: what is published goes to all contacts", Args: cobra.NoArgs}
	users := cmd.Flags().Int("users", 50, "users, each a contact of all others")
	items := cmd.Flags().Int("items", 20, "items that each user publishes")
	window := cmd.Flags().Int("window", 1, "items that each user publishes without waiting for answers")
	star := cmd.Flags().Bool("star", false, "only the first user publishes")
	bare := cmd.Flags().Bool("bare", false, "with --star: measure also a program that does nothing but write the same bytes to as many sockets, and one that syncs a file first")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return run(cmd.Context(), cmd.OutOrStdout(), o, func(ctx context.Context, t target) (figures, error) {
			return publishFanOut(ctx, t, o, publishLoad{presenceLoad{users: *users, star: *star}, *items, max(1, *window), *bare && *star})
		})
	}
	return cmd
}

type publishLoad struct {
	presenceLoad
	items, window int
	bare          bool
}

const publishNode = "urn:xmppbench:item"

// capabilities are those of the contacts (XEP-0115 §5.1).
var capabilities = func() string {
	sum := sha1.Sum([]byte("client/bot//xmppbench<" + publishNode + "+notify<"))
	return base64.StdEncoding.EncodeToString(sum[:])
}()

func publishFanOut(ctx context.Context, t target, o *options, l publishLoad) (figures, error) {
	clients, err := sessions(ctx, t, o, l.users, same)
	if err != nil {
		return nil, err
	}
	defer closeAll(clients)
	if err := l.subscribeAll(clients); err != nil {
		return nil, err
	}
	for _, c := range clients {
		presence := "<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:xmppbench' ver='" + capabilities + "'/></presence>"
		if err := c.write(presence); err != nil {
			return nil, err
		}
		if err := c.answerQuestions(); err != nil {
			return nil, err
		}
	}
	if err := l.publish(clients, 1); err != nil { // what happens once is not measured
		return nil, err
	}
	before, err := measure(t.pids)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	err = l.publish(clients, l.items)
	elapsed := time.Since(begin)
	after, failed := measure(t.pids)
	if err := errors.Join(err, failed); err != nil {
		return nil, err
	}
	want := int64(l.items) * int64(l.users) * int64(l.senders())
	f := figures{{"notifications", "/s", float64(want) / elapsed.Seconds()}}
	f = append(f, perUnit(before, after, want)...)
	if !l.bare {
		return f, nil
	}
	closeAll(clients)
	for name, args := range map[string][]string{"bare": nil, "bare durable": {"--durable"}} {
		bare, err := bareCost(ctx, name, l.notification(clients), bareLoad{l.users, l.items}, args...)
		if err != nil {
			return nil, err
		}
		f = append(f, bare...)
	}
	return f, nil
}

// notification is as long as those that were measured.
func (l publishLoad) notification(clients []*client) string {
	from, _, _ := strings.Cut(clients[0].jid, "/")
	return fmt.Sprintf("<message to='%s' from='%s' id='%036d' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'>"+
		"<items node='%s'><item id='current'><x xmlns='%s'>%064d</x></item></items></event>"+endOfMessage, clients[1].jid, from, 0, publishNode, publishNode, 0)
}

// publish publishes items, and waits until all who announce capabilities have been notified of all of them: the contacts, and
// who publishes.
func (l publishLoad) publish(clients []*client, items int) error {
	errs := make([]error, len(clients))
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() {
			left := items * l.senders()
			if i < l.senders() {
				left, errs[i] = c.publish(items, l.window, left)
			}
			for ; left > 0 && errs[i] == nil; left-- {
				_, errs[i] = c.until(endOfEvent)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

const endOfEvent = "</event>"

// publish publishes items, of which a window waits for answers. It returns how many notifications of left have not come meanwhile.
func (c *client) publish(items, window, left int) (int, error) {
	answered := 0
	for sent := 0; answered < items; {
		if n := min(items-sent, window-(sent-answered)); n > 0 {
			var b strings.Builder
			for k := sent; k < sent+n; k++ {
				fmt.Fprintf(&b, "<iq type='set' id='%s%d'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='%s'>"+
					"<item id='current'><x xmlns='%s'>%064d</x></item></publish></pubsub></iq>", publishID, k, publishNode, publishNode, k)
			}
			if err := c.write(b.String()); err != nil {
				return left, err
			}
			sent += n
		}
		text, err := c.until(endOfEvent, "id='"+publishID, "id=\""+publishID)
		if err != nil {
			return left, err
		}
		if strings.HasSuffix(text, endOfEvent) {
			left--
		} else {
			answered++
		}
	}
	return left, nil
}

// publishID begins the ids of requests, which no item has.
const publishID = "published-"

var question = regexp.MustCompile(`<iq [^>]*>\s*<query [^>]*disco#info[^>]*>`)

// answerQuestions answers what the server asks about the capabilities, which it does at once if it does.
func (c *client) answerQuestions() error {
	text, err := c.ask("<iq type='get' id='asked'><ping xmlns='urn:xmpp:ping'/></iq>", "id='asked'", "id=\"asked\"")
	if err != nil {
		return err
	}
	for _, q := range question.FindAllString(text, -1) {
		answer := "<iq type='result' id='" + attribute(q, "id") + "' to='" + attribute(q, "from") + "'><query xmlns='http://jabber.org/protocol/disco#info' node='urn:xmppbench#" +
			capabilities + "'><identity category='client' type='bot' name='xmppbench'/><feature var='" + publishNode + "+notify'/></query></iq>"
		if err := c.write(answer); err != nil {
			return err
		}
	}
	return c.becomeKnown()
}

// becomeKnown waits until the server has handled what was sent.
func (c *client) becomeKnown() error {
	_, err := c.ask("<iq type='get' id='known'><ping xmlns='urn:xmpp:ping'/></iq>", "id='known'", "id=\"known\"")
	return err
}

// attribute returns the first attribute of that name in a text, without unescaping it.
func attribute(text, name string) string {
	for _, quote := range []string{"'", `"`} {
		if _, rest, ok := strings.Cut(text, " "+name+"="+quote); ok {
			value, _, _ := strings.Cut(rest, quote)
			return value
		}
	}
	return ""
}
