#include <string>

#include "common/testing/pdf.h"
#include "gmock/gmock.h"
#include "services/enrolment/testing/enrolment_fixture.h"

namespace parcours::enrolment {
namespace {

class PieceUploadTest : public ContractTest {
 protected:
  absl::StatusOr<platform::v1::Upload> Announce(int64_t bytes) {
    platform::v1::CreateUploadRequest request;
    request.set_parent(fixture_.body);
    request.mutable_upload()->set_byte_size(bytes);
    request.mutable_upload()->set_content_type("application/pdf");
    return fixture_.Call(fixture_.uploads(), &Uploads::CreateUpload, request);
  }
};

TEST_P(PieceUploadTest, OfAReadablePdfIsTaken) {
  EXPECT_OK(fixture_.Upload(MakePdf(3)));
}

TEST_P(PieceUploadTest, OfNothingOrTooMuchIsRefusedBeforeAnyByte) {
  const int64_t rows = fixture_.RowsWritten();
  const auto empty = Announce(0);
  EXPECT_THAT(empty, HasReason(Reason::kUploadEmpty));
  EXPECT_THAT(empty, ViolatesField("upload.byte_size"));
  EXPECT_THAT(empty, StatusIs(absl::StatusCode::kInvalidArgument));
  const auto large = Announce(int64_t{50} << 20);
  EXPECT_THAT(large, HasReason(Reason::kUploadTooLarge));
  EXPECT_THAT(large, ViolatesField("upload.byte_size"));
  EXPECT_THAT(Announce(-1), HasReason(Reason::kFieldNegative));
  EXPECT_EQ(fixture_.RowsWritten(), rows);
}

TEST_P(PieceUploadTest, OfWhatIsNoReadablePdfIsThrownAway) {
  const struct {
    std::string bytes;
    Reason reason;
  } cases[] = {
      {"Ceci n’est pas un PDF.", Reason::kUploadWrongType},
      {"PK\x03\x04 a document of another kind", Reason::kUploadWrongType},
      {"%PDF-1.4 and nothing else", Reason::kUploadUnreadable},
      {MakePdf(2, "/OpenAction << /S /JavaScript /JS (x) >>"),
       Reason::kUploadActiveContent},
      {"PK\x03\x04 [Content_Types].xml of a letter",
       Reason::kUploadOfficeDocument},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.bytes.substr(0, 30));
    const auto refused = fixture_.Upload(c.bytes);
    EXPECT_THAT(refused, HasReason(c.reason));
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument));
  }
  const auto image = fixture_.Upload(MakePdf(1), "image/png");
  EXPECT_THAT(image, HasReason(Reason::kUploadWrongType));
  EXPECT_THAT(image, ViolatesField("upload.content_type"));
}

TEST_P(PieceUploadTest, ThatIsNotFinishedIsNoPiece) {
  const auto announced = Announce(1000);
  ASSERT_OK(announced);
  pb::SubmitApplicationRequest request = fixture_.Submission(1);
  request.mutable_pieces(0)->set_upload(announced->name());
  const int64_t rows = fixture_.RowsWritten();
  const auto unfinished = fixture_.Call(
      fixture_.applications(), &Applications::SubmitApplication, request);
  EXPECT_THAT(unfinished, HasReason(Reason::kUploadIncomplete));
  request.mutable_pieces(0)->set_upload(fixture_.body + "/uploads/absent");
  const auto absent = fixture_.Call(fixture_.applications(),
                                    &Applications::SubmitApplication, request);
  EXPECT_THAT(absent, HasReason(Reason::kUnknownReference));
  EXPECT_THAT(absent, ViolatesField("pieces[0].upload"));
  EXPECT_EQ(fixture_.RowsWritten(), rows);
}

TEST_P(PieceUploadTest, IsGivenUpADayAfterItsAnnouncement) {
  pb::SubmitApplicationRequest request = fixture_.Submission(1);
  fixture_.AdvanceTo(fixture_.now() + absl::Hours(24));
  EXPECT_THAT(fixture_.Call(fixture_.applications(),
                            &Applications::SubmitApplication, request),
              HasReason(Reason::kUploadExpired));
}

PARCOURS_ON_BOTH_ENGINES(PieceUploadTest);

}  // namespace
}  // namespace parcours::enrolment
