package main

import (
	"os"

	"go.temporal.io/server/common/log"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newLogger writes the server's log to stderr, one line an entry. The server's
// own logger adds 60 lines of stack to each error, even to a client hanging up.
func newLogger(level zapcore.Level) log.Logger {
	encoding := zap.NewProductionEncoderConfig()
	encoding.EncodeTime = zapcore.ISO8601TimeEncoder
	core := zapcore.NewCore(zapcore.NewConsoleEncoder(encoding), zapcore.Lock(os.Stderr), level)
	return log.NewZapLogger(zap.New(core))
}
