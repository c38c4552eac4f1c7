package logging

import (
	"fmt"
	"io"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// lossy is an output that loses what nobody takes.
type lossy interface {
	// OnLost has the buffer tell what it lost.
	OnLost(report func(lines uint64))
}

// Logger returns a log that is written to out, in JSON or for people, from a level on:
// debug, info, warn or error. The log's own faults go to out too. What a Buffer drops is
// said in the log as soon as there is somebody to read it.
func Logger(out io.Writer, level string, console bool) (*zap.Logger, error) {
	at, err := zapcore.ParseLevel(level)
	if err != nil {
		return nil, fmt.Errorf("log.level: %w", err)
	}
	config := zap.NewProductionEncoderConfig()
	config.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	config.EncodeDuration = zapcore.StringDurationEncoder
	encoder := zapcore.NewJSONEncoder(config)
	if console {
		config.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
		encoder = zapcore.NewConsoleEncoder(config)
	}
	to := zapcore.Lock(zapcore.AddSync(out))
	log := zap.New(zapcore.NewCore(encoder, to, at), zap.ErrorOutput(to))
	if buffer, may := out.(lossy); may {
		buffer.OnLost(func(lines uint64) {
			log.Warn("lines of this log were dropped, because nobody read it or it could not be written", zap.Uint64("lines", lines))
		})
	}
	return log, nil
}
