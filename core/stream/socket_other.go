//go:build !unix

package stream

// open leaves fd nil: every write here may block, and a Queue starts a goroutine for it.
func (s *rawSocket) open() {}

func (s *rawSocket) push(p []byte) (int, error) { return s.Conn.Write(p) }
