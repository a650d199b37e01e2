package fake

// hooks are the callbacks of tests and of the demo. They are called one at a time and in order, by a
// goroutine of the server that does not hold its lock: they may call the server.
type hooks struct {
	message []func(Message)
	queue   []func()
	wake    chan struct{}
}

// maxHooks bounds what waits for slow hooks; what comes then is dropped.
const maxHooks = 100_000

// OnMessage calls f for every new message, whoever wrote it.
func (s *Server) OnMessage(f func(Message)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks.message = append(s.hooks.message, f)
}

func (s *Server) notify(m *message) {
	for _, f := range s.hooks.message {
		r := s.report(m)
		s.later(func() { f(r) })
	}
}

// later queues a call for the hooks' goroutine.
func (s *Server) later(call func()) {
	if len(s.hooks.queue) >= maxHooks {
		s.log.Warn("hook dropped")
		return
	}
	s.hooks.queue = append(s.hooks.queue, call)
	select {
	case s.hooks.wake <- struct{}{}:
	default:
	}
}

// runHooks is the hooks' goroutine.
func (s *Server) runHooks() {
	for {
		select {
		case <-s.hooks.wake:
		case <-s.done:
			return
		}
		for {
			s.mu.Lock()
			batch := s.hooks.queue
			s.hooks.queue = nil
			s.mu.Unlock()
			if len(batch) == 0 {
				break
			}
			for _, call := range batch {
				select {
				case <-s.done:
					return
				default:
					call()
				}
			}
		}
	}
}
