package fake

import (
	"fmt"
	"hash/fnv"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// globalLimit is for all requests of one bot. (topics/rate-limits.mdx, Global Rate Limit)
const globalLimit = 50

// maxBuckets bounds what a limiter remembers.
const maxBuckets = 10_000

// limiter counts the requests of one bot, or of all who have none.
type limiter struct {
	buckets map[string]*bucket
	global  bucket
}

type bucket struct {
	used  int
	reset time.Time
}

// take counts one request; ok is false where it was one too many.
func (b *bucket) take(l limit, now time.Time) bool {
	if !now.Before(b.reset) {
		b.used, b.reset = 0, now.Add(l.per)
	}
	if b.used >= l.n {
		return false
	}
	b.used++
	return true
}

func (l *limiter) bucket(key string) *bucket {
	if l.buckets == nil || len(l.buckets) > maxBuckets {
		l.buckets = map[string]*bucket{}
	}
	b := l.buckets[key]
	if b == nil {
		b = &bucket{}
		l.buckets[key] = b
	}
	return b
}

// limit counts the request and sets the headers; limited reports that it was too many.
// (topics/rate-limits.mdx, Header Format)
func (x *exchange) limit() (status int, answer any, limited bool) {
	s := x.s
	s.mu.Lock()
	defer s.mu.Unlock()
	l, now := x.limiter(), s.now()
	if !l.global.take(limit{globalLimit, time.Second}, now) && !s.opts.Unlimited {
		status, answer = x.tooMany(l.global.reset.Sub(now), true, "global")
		return status, answer, true
	}
	b := l.bucket(x.bucketKey())
	ok := b.take(x.route.limit, now)
	remaining := max(0, x.route.limit.n-b.used)
	if s.opts.Unlimited {
		ok, remaining = true, x.route.limit.n-1
	}
	h := x.w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(x.route.limit.n))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(remaining))
	h.Set("X-RateLimit-Reset", seconds(float64(b.reset.UnixMilli())/1000))
	h.Set("X-RateLimit-Reset-After", seconds(b.reset.Sub(now).Seconds()))
	h.Set("X-RateLimit-Bucket", bucketName(x.route))
	if ok {
		return 0, nil, false
	}
	status, answer = x.tooMany(b.reset.Sub(now), false, "user")
	return status, answer, true
}

// limiter is the one of the webhook or bot that asks. Requests by a webhook's token count
// for the webhook, not for the bot.
func (x *exchange) limiter() *limiter {
	if x.app != nil && !x.route.open {
		return &x.app.limiter
	}
	return &x.s.anonymous
}

// bucketKey is the route and the major parameter. (topics/rate-limits.mdx: channel_id,
// guild_id, webhook_id with token)
func (x *exchange) bucketKey() string {
	return strings.Join([]string{
		x.route.name(), x.params["channel_id"], x.params["guild_id"], x.params["webhook_id"], x.params["webhook_token"],
	}, " ")
}

func bucketName(r *route) string {
	h := fnv.New64a()
	h.Write([]byte(r.name()))
	return fmt.Sprintf("%016x", h.Sum64())
}

// tooMany is the answer 429. (topics/rate-limits.mdx, Exceeding A Rate Limit)
func (x *exchange) tooMany(wait time.Duration, global bool, scope string) (int, any) {
	after := max(wait.Seconds(), 0.001)
	h := x.w.Header()
	h.Set("Retry-After", strconv.Itoa(ceil(after)))
	h.Set("X-RateLimit-Scope", scope)
	if global {
		h.Set("X-RateLimit-Global", "true")
	}
	message := "You are being rate limited."
	if scope == "shared" {
		message = "The resource is being rate limited."
	}
	return http.StatusTooManyRequests, obj{
		"message": message, "code": 0, "retry_after": math.Ceil(after*1000) / 1000, "global": global,
	}
}

func ceil(seconds float64) int { return int(math.Ceil(seconds)) }

func seconds(f float64) string { return strconv.FormatFloat(f, 'f', 3, 64) }
