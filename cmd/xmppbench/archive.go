package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// pageSize is how many messages a page has, as clients ask for.
const pageSize = 50

// archiveQueries are the queries that can be measured, by name. A function prepares one and returns what the i-th request asks for.
var archiveQueries = map[string]func(c *client, l archiveLoad) (func(i int) archiveQuery, error){
	"newest":  always(newest("")),
	"end":     endOfArchive,
	"middle":  middleOfArchive,
	"contact": withContact,
	"rare":    each(func(i int) archiveQuery { return newest(fullText(rareWord(i))) }),
	"common":  each(func(i int) archiveQuery { return newest(fullText(commonWord(i))) }),
	"count":   always(archiveQuery{set: "<max>0</max>"}),
}

// localContacts begins the names of the contacts in an archive that --fill has filled.
const localContacts = "bench"

// withContact asks for the newest page with one contact after the other.
func withContact(_ *client, l archiveLoad) (func(int) archiveQuery, error) {
	return func(i int) archiveQuery {
		if l.local != "" {
			return newest(field("with", fmt.Sprintf("%s%d@%s", localContacts, i%archiveContacts, l.local)))
		}
		return newest(field("with", archiveContact(i)))
	}, nil
}

// archiveQuery is a query of an archive: fields of the form, and what page of the result (XEP-0313 §4, XEP-0059).
type archiveQuery struct {
	fields, set string
	size        int // messages of the answer
}

var newestPage = fmt.Sprintf("<max>%d</max><before/>", pageSize)

func newest(fields string) archiveQuery { return archiveQuery{fields, newestPage, pageSize} }

func pageAfter(id string) archiveQuery {
	return archiveQuery{set: fmt.Sprintf("<max>%d</max><after>%s</after>", pageSize, id), size: pageSize}
}

func field(name, value string) string {
	return "<field var='" + name + "'><value>" + value + "</value></field>"
}

func fullText(word string) string { return field("{urn:xmpp:fulltext:0}fulltext", word) } // XEP-0431 §2.2

func each(query func(i int) archiveQuery) func(*client, archiveLoad) (func(int) archiveQuery, error) {
	return func(*client, archiveLoad) (func(int) archiveQuery, error) { return query, nil }
}

func always(q archiveQuery) func(*client, archiveLoad) (func(int) archiveQuery, error) {
	return each(func(int) archiveQuery { return q })
}

// endOfArchive asks for the page behind the message that has as many after it as a page has, as clients do that have been away.
func endOfArchive(c *client, _ archiveLoad) (func(int) archiveQuery, error) {
	id, err := c.firstEntry(archiveQuery{set: fmt.Sprintf("<max>%d</max><before/>", pageSize+1), size: pageSize + 1})
	return func(int) archiveQuery { return pageAfter(id) }, err
}

// middleOfArchive asks for pages behind messages in the middle half.
func middleOfArchive(c *client, _ archiveLoad) (func(int) archiveQuery, error) {
	first, err := c.firstTime(archiveQuery{set: "<max>1</max>", size: 1})
	if err != nil {
		return nil, err
	}
	last, err := c.firstTime(archiveQuery{set: "<max>1</max><before/>", size: 1})
	if err != nil {
		return nil, err
	}
	span := last.Sub(first)
	r := rand.New(rand.NewPCG(1, 2))
	ids := make([]string, 100)
	for i := range ids {
		at := first.Add(span/4 + time.Duration(r.Int64N(int64(span/2)+1))).UTC()
		if ids[i], err = c.firstEntry(archiveQuery{fields: field("start", at.Format("2006-01-02T15:04:05Z")), set: "<max>1</max>", size: 1}); err != nil {
			return nil, err
		}
	}
	return func(i int) archiveQuery { return pageAfter(ids[i%len(ids)]) }, nil
}

// firstTime is when the first message of a page came.
func (c *client) firstTime(q archiveQuery) (time.Time, error) {
	answer, err := c.archived(q)
	if err != nil {
		return time.Time{}, err
	}
	_, delay, _ := strings.Cut(answer, "<delay")
	return time.Parse(time.RFC3339, attribute(delay, "stamp"))
}

// archiveCommand measures queries of an archive that 'messages' has written.
func archiveCommand(o *options) *cobra.Command {
	names := make([]string, 0, len(archiveQueries))
	for name := range archiveQueries {
		names = append(names, name)
	}
	slices.Sort(names)
	cmd := &cobra.Command{Use: "archive", Short: "Pages and searches of an account's archive that 'messages' has written", Args: cobra.NoArgs}
	var l archiveLoad
	flags := cmd.Flags()
	flags.StringVar(&l.query, "query", "newest", "one of "+strings.Join(names, ", "))
	flags.DurationVar(&l.length, "for", 4*time.Second, "how long requests are made, one after the other")
	flags.BoolVar(&l.settle, "settle", false, "first wait until the server is idle")
	flags.BoolVar(&l.indexed, "indexed", false, "check that all messages are indexed by words")
	flags.IntVar(&l.fill, "fill", 0, "make the archive instead, of so many messages that local accounts send")
	flags.StringVar(&l.local, "local", "", "the domain of the contacts of an archive that --fill has made")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if archiveQueries[l.query] == nil {
			return fmt.Errorf("--query is one of %s", strings.Join(names, ", "))
		}
		return run(cmd.Context(), cmd.OutOrStdout(), o, func(ctx context.Context, t target) (figures, error) {
			if l.fill > 0 {
				return l.fillArchive(ctx, t, o)
			}
			return queryArchive(ctx, t, o, l)
		})
	}
	return cmd
}

type archiveLoad struct {
	query   string
	length  time.Duration
	settle  bool
	indexed bool
	fill    int
	local   string
}

func queryArchive(ctx context.Context, t target, o *options, l archiveLoad) (figures, error) {
	if l.settle {
		if err := awaitIdle(ctx, t.pids); err != nil {
			return nil, err
		}
	}
	c, err := dial(ctx, t, o, 0)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	if l.indexed {
		if err := c.checkIndexed(); err != nil {
			return nil, err
		}
	}
	query, err := archiveQueries[l.query](c, l)
	if err != nil {
		return nil, err
	}
	before, err := measure(t.pids)
	if err != nil {
		return nil, err
	}
	var latencies []time.Duration
	begin := time.Now()
	for i := 0; ctx.Err() == nil && time.Since(begin) < l.length; i++ {
		start := time.Now()
		if _, err := c.archived(query(i)); err != nil {
			return nil, err
		}
		latencies = append(latencies, time.Since(start))
	}
	elapsed := time.Since(begin)
	after, err := measure(t.pids)
	if err := errors.Join(err, ctx.Err()); err != nil {
		return nil, err
	}
	n := len(latencies)
	f := figures{{"requests", "/s", float64(n) / elapsed.Seconds()}}
	return append(append(f, perUnit(before, after, int64(n))...), quantiles(latencies)...), nil
}

// archived makes a query and returns the answer with all messages.
func (c *client) archived(q archiveQuery) (string, error) {
	form := ""
	if q.fields != "" {
		form = "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>" + q.fields + "</x>"
	}
	answer, err := c.ask("<iq type='set' id='archive'><query xmlns='urn:xmpp:mam:2'>"+form+"<set xmlns='http://jabber.org/protocol/rsm'>"+q.set+"</set></query></iq>", "</iq>")
	if err != nil {
		return "", err
	}
	if n := strings.Count(answer, "</result>"); !strings.Contains(answer, "<fin ") || n != q.size {
		return "", fmt.Errorf("query %s: an answer with %d messages, not %d: %s", q.fields+q.set, n, q.size, answer[max(0, len(answer)-500):])
	}
	return answer, nil
}

// firstEntry is the id of the first entry of a page.
func (c *client) firstEntry(q archiveQuery) (string, error) {
	answer, err := c.archived(q)
	if err != nil {
		return "", err
	}
	_, id, _ := strings.Cut(answer, "<first")
	_, id, _ = strings.Cut(id, ">")
	id, _, ok := strings.Cut(id, "</first>")
	if !ok {
		return "", fmt.Errorf("a page without its first id: %s", answer[max(0, len(answer)-500):])
	}
	return id, nil
}

var errNotIndexed = errors.New("not all archived messages are indexed by words: a search for a word that is in none of them does not come to an end")

// checkIndexed searches for a word that is in no message: while many are not indexed, the server reads some of them and says that there are more.
func (c *client) checkIndexed() error {
	answer, err := c.archived(archiveQuery{fields: fullText(absentWord), set: newestPage})
	if err == nil && !strings.Contains(answer, "complete='true'") && !strings.Contains(answer, `complete="true"`) {
		err = errNotIndexed
	}
	return err
}

// A server is idle when it has used little of a processor in each of some spans, which are longer in all than it leaves work undone.
const (
	idleSpan  = 5 * time.Second
	idleSpans = 5
	idleCPU   = idleSpan / 50
	idleLimit = time.Hour
)

// awaitIdle returns when the processes do nothing any longer.
func awaitIdle(ctx context.Context, pids []int) error {
	last, err := measure(pids)
	for begin, idle := time.Now(), 0; err == nil && idle < idleSpans; {
		if time.Since(begin) > idleLimit {
			return fmt.Errorf("the server is still busy after %v", idleLimit)
		}
		if err := pause(ctx, idleSpan); err != nil {
			return err
		}
		var now usage
		now, err = measure(pids)
		if idle++; now.cpu-last.cpu > idleCPU {
			idle = 0
		}
		last = now
	}
	return err
}
