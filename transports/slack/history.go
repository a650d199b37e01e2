package slack

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/slack/webapi"
)

// backWindow is how many messages before the last known one are looked at for edits and
// replies that came meanwhile: conversations.history shows neither by time.
const backWindow = 50

// overtaken is how much older than the last known message one can be that was never delivered: events
// come out of order at times, and one that is not acknowledged comes again after minutes (docs:
// Events API, Retries), if it still does.
const overtaken = 10 * time.Minute

// History reads past messages of a room, replies in threads among them, oldest first.
func (s *client) History(ctx context.Context, request transports.HistoryRequest) (transports.HistoryPage, error) {
	channel, err := s.channelOf(request.Room)
	if err != nil {
		return transports.HistoryPage{}, err
	}
	info, ok, err := s.sees(ctx, channel)
	if err != nil {
		return transports.HistoryPage{}, err
	}
	if !ok {
		return transports.HistoryPage{}, transports.Refuse("forbidden", "this account is not in the channel", nil)
	}
	if request.After != "" {
		return s.historyAfter(ctx, channel, info, request)
	}
	recent, more, err := s.newest(ctx, channel, string(request.Before), request.Limit)
	if err != nil {
		return transports.HistoryPage{}, err
	}
	events, err := s.events(ctx, recent, info, "")
	return transports.HistoryPage{Events: events, More: more}, err
}

// historyAfter reads what came after a message, with the edits and replies since of those shortly before it.
func (s *client) historyAfter(ctx context.Context, channel string, info transports.RoomInfo, request transports.HistoryRequest) (transports.HistoryPage, error) {
	after := string(request.After)
	fresh, err := s.since(ctx, channel, after)
	if err != nil {
		return transports.HistoryPage{}, err
	}
	// The message itself is among those that may have been edited since.
	older, _, err := s.newest(ctx, channel, timeStamp(stampTime(after).Add(time.Microsecond)), backWindow)
	if err != nil {
		return transports.HistoryPage{}, err
	}
	events, err := s.events(ctx, append(older, fresh...), info, after)
	if err != nil {
		return transports.HistoryPage{}, err
	}
	known := slices.IndexFunc(events, func(e transports.Event) bool { return e.At.After(stampTime(after)) })
	if most := known + request.Limit; known >= 0 && len(events) > most {
		return transports.HistoryPage{Events: events[:most], More: true}, nil
	}
	return transports.HistoryPage{Events: events}, nil
}

// since reads all top-level messages after a ts.
func (s *client) since(ctx context.Context, channel, after string) ([]rawMessage, error) {
	var all []rawMessage
	args := url.Values{"channel": {channel}, "oldest": {after}, "limit": {pageSize}}
	for {
		page, err := s.messages(ctx, "conversations.history", args)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Messages...)
		if !more(&page.Page, args) {
			return all, nil
		}
	}
}

// more goes on to the next page of a list, and reports whether there is one.
func more(page *webapi.Page, args url.Values) bool {
	if !page.More || page.Next() == "" || page.Next() == args.Get("cursor") {
		return false
	}
	args.Set("cursor", page.Next())
	return true
}

// newest reads the last n top-level messages before a ts, or of all, and reports whether there are earlier ones.
func (s *client) newest(ctx context.Context, channel, before string, n int) (all []rawMessage, earlier bool, err error) {
	args := url.Values{"channel": {channel}}
	if before != "" {
		args.Set("latest", before)
	}
	for len(all) < n {
		args.Set("limit", strconv.Itoa(min(200, n-len(all))))
		page, err := s.messages(ctx, "conversations.history", args)
		if err != nil {
			return nil, false, err
		}
		all = append(all, page.Messages...)
		if !more(&page.Page, args) {
			return all, false, nil
		}
	}
	return all, true, nil
}

// messagePage is a page of a channel's history or of a thread.
type messagePage struct {
	Messages []rawMessage `json:"messages"`
	webapi.Page
}

// messages reads one page. An element that cannot be read is left out, and so is one without a ts.
func (s *client) messages(ctx context.Context, method string, args url.Values) (page messagePage, err error) {
	args.Set("include_all_metadata", "true")
	if err := s.paced(ctx, method, args, &page); err != nil {
		return page, err
	}
	page.Messages = slices.DeleteFunc(page.Messages, func(m rawMessage) bool { return stampTime(m.TS).IsZero() })
	return page, nil
}

// events makes events of messages, with the replies of their threads and the edits that came
// after a ts; in the order of their time.
func (s *client) events(ctx context.Context, messages []rawMessage, room transports.RoomInfo, after string) ([]transports.Event, error) {
	var events []transports.Event
	for i := range messages {
		m := &messages[i]
		if err := s.complete(ctx, m.Files); err != nil {
			return nil, err
		}
		s.lookUp(ctx, m)
		events = s.past(events, m, room, after)
		if m.ReplyCount == 0 || m.ThreadTS != "" && m.ThreadTS != m.TS || m.LatestReply != "" && !fresh(m.LatestReply, after) {
			continue
		}
		replies, err := s.replies(ctx, room, m.TS, after)
		if err != nil {
			return nil, err
		}
		for i := range replies {
			if err := s.complete(ctx, replies[i].Files); err != nil {
				return nil, err
			}
			s.lookUp(ctx, &replies[i])
			events = s.past(events, &replies[i], room, after)
		}
	}
	slices.SortStableFunc(events, func(a, b transports.Event) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(a.Key, b.Key)
	})
	return slices.CompactFunc(events, func(a, b transports.Event) bool { return a.Key == b.Key }), nil
}

// past appends what a past message means: itself where it is new, its edit where that is.
func (s *client) past(events []transports.Event, m *rawMessage, room transports.RoomInfo, after string) []transports.Event {
	switch m.Subtype {
	case "tombstone", "channel_join", "group_join", "channel_leave", "group_leave":
		return events
	}
	if fresh(m.TS, after) {
		events = append(events, s.message(m, room, s.cred.appID()))
	}
	if after == "" || newer(m.TS, after) {
		return events // with its edits in it
	}
	// edited.ts has whole seconds: one of the same second as the last known message may be later.
	if m.Edited != nil && stampTime(m.Edited.TS).Add(time.Second).After(stampTime(after)) {
		return append(events, s.edited(m, "", room, s.cred.appID()))
	}
	return events
}

func (s *client) replies(ctx context.Context, room transports.RoomInfo, thread, after string) ([]rawMessage, error) {
	channel, err := s.channelOf(room.ID)
	if err != nil {
		return nil, err
	}
	oldest := after
	if after != "" {
		oldest = timeStamp(stampTime(after).Add(-overtaken))
	}
	args := url.Values{"channel": {channel}, "ts": {thread}, "limit": {pageSize}}
	if oldest != "" {
		args.Set("oldest", oldest)
	}
	var all []rawMessage
	for {
		page, err := s.messages(ctx, "conversations.replies", args)
		if err != nil {
			return nil, err
		}
		for _, m := range page.Messages {
			if m.TS != thread {
				all = append(all, m)
			}
		}
		if !more(&page.Page, args) {
			return all, nil
		}
	}
}

// newer compares two stamps.
func newer(a, b string) bool { return stampTime(a).After(stampTime(b)) }

// fresh reports whether a message can be one that was not delivered.
func fresh(ts, after string) bool {
	return after == "" || stampTime(ts).After(stampTime(after).Add(-overtaken))
}
