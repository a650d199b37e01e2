package discord

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/content"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/discord/rest"
)

// OpenFile reads an attachment. The address that its message had may have expired: the message is read
// again for one that is good.
func (s *client) OpenFile(ctx context.Context, ref string) (io.ReadCloser, transports.File, error) {
	ref, thumb := strings.CutSuffix(ref, thumbMark)
	parts := strings.Split(ref, "/")
	if len(parts) != 3 || !content.IsSnowflake(parts[0]) || !content.IsSnowflake(parts[1]) {
		return nil, transports.File{}, transports.Refuse("item-not-found", "there is no such file", nil)
	}
	m := &objects.Message{}
	if err := s.api.Call(ctx, rest.Get("/channels/{}/messages/{}", parts[0], parts[1]), m); err != nil {
		return nil, transports.File{}, s.fault(err)
	}
	for _, f := range files(m) {
		if f.ID != parts[2] {
			continue
		}
		address := f.URL
		if thumb {
			address, f = thumbOf(m, f)
		}
		body, size, err := s.download(ctx, address)
		if err == nil && size >= 0 {
			f.Size = size
		}
		return body, f, err
	}
	return nil, transports.File{}, transports.Refuse("item-not-found", "the file is no longer there", nil)
}

// thumbOf is the small picture of a file with its address, which Discord's proxy makes.
func thumbOf(m *objects.Message, f transports.File) (address string, thumb transports.File) {
	if f.Thumb == nil {
		return "", f
	}
	for _, a := range attachments(m) {
		if a.ID == f.ID {
			u, err := url.Parse(a.Proxy)
			if err != nil {
				return "", f
			}
			q := u.Query()
			q.Set("format", "webp")
			q.Set("width", strconv.Itoa(f.Thumb.Width))
			q.Set("height", strconv.Itoa(f.Thumb.Height))
			u.RawQuery = q.Encode()
			address = u.String()
		}
	}
	return address, transports.File{ID: f.ID, Name: "thumbnail", MIME: f.Thumb.MIME, Size: -1}
}

// download opens what is at one of Discord's file servers. The size is -1 where it is not known.
func (s *client) download(ctx context.Context, address string) (io.ReadCloser, int64, error) {
	u, err := url.Parse(address)
	if err != nil || !s.n.holdsFiles(u) {
		return nil, 0, transports.Refuse("item-not-found", "the file is not at Discord", nil)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, 0, transports.Refuse("item-not-found", "the file has no address", nil)
	}
	r.Header.Set("User-Agent", rest.Agent)
	r.Header.Set("Accept-Encoding", "identity") // its length has to be known
	answer, err := s.n.media.Do(r)
	if err != nil {
		return nil, 0, rest.Classify(fmt.Errorf("download a file: %w", rest.Bare(err)))
	}
	if answer.StatusCode == http.StatusOK {
		return answer.Body, answer.ContentLength, nil
	}
	_ = answer.Body.Close() // nothing of it is wanted
	err = fmt.Errorf("download a file: status %d", answer.StatusCode)
	if answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests {
		return nil, 0, transports.Later(rest.RetryAfter(answer.Header), err)
	}
	return nil, 0, transports.Refuse("item-not-found", "the file is no longer there", err)
}

// holdsFiles reports whether an address is one of Discord's file servers, or of the configured API's.
func (n *Network) holdsFiles(u *url.URL) bool {
	if u.Scheme == n.base.Scheme && u.Host == n.base.Host {
		return true
	}
	host := u.Hostname()
	return u.Scheme == "https" && (strings.HasSuffix(host, ".discordapp.com") || strings.HasSuffix(host, ".discordapp.net"))
}
